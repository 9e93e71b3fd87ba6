
"use strict";
(() => {
  const form = document.getElementById("controls");
  if (!form) return;
  const ROW = 30;
  const SVG = "http://www.w3.org/2000/svg";
  const byId = (id) => document.getElementById(id);
  const tasks = JSON.parse(byId("data").textContent);
  const names = byId("names");
  const items = Array.from(names.children);
  const picks = items.map((item) => item.firstElementChild);
  const canvases = Array.from(document.querySelectorAll(".canvas"));
  const charts = canvases.map((canvas) => {
    const bars = canvas.querySelector(".bars");
    return { bars, rows: Array.from(bars.querySelectorAll(".row")) };
  });
  const controls = Object.fromEntries(["search", "who", "order", "critical", "whole", "wider", "closer"].map((id) => [id, byId(id)]));
  const detail = byId("detail");
  const texts = picks.map((pick, row) => (pick.textContent + " " + tasks[row].lines.map((line) => line[1]).join(" ")).toLowerCase());
  const pressed = (button) => Boolean(button) && button.getAttribute("aria-pressed") === "true";
  const into = tasks.map(() => []);
  tasks.forEach((task, row) => task.from.forEach(([before, resource]) => into[before].push([row, resource])));
  let zoom = 1;
  let chosen = -1;
  let places = tasks.map((_task, row) => row); // of each row; -1: not shown

  // What is chosen lives in the address, so that a view can be bookmarked and sent.
  function read() {
    const wish = new URLSearchParams(location.hash.slice(1));
    controls.search.value = wish.get("search") || "";
    for (const name of ["who", "order"]) {
      if (!controls[name]) continue;
      controls[name].value = wish.get(name) || (name === "order" ? "start" : "");
      if (controls[name].selectedIndex < 0) controls[name].selectedIndex = 0;
    }
    for (const name of ["critical", "whole"]) {
      if (controls[name]) controls[name].setAttribute("aria-pressed", String(wish.has(name)));
    }
    zoom = Math.min(Math.max(Number(wish.get("zoom")) || 1, 1), 32);
    const row = Number(wish.get("task")) - 1;
    chosen = wish.has("task") && tasks[row] ? row : -1;
    apply();
  }

  function write() {
    const wish = new URLSearchParams();
    if (controls.search.value) wish.set("search", controls.search.value);
    if (controls.who && controls.who.value) wish.set("who", controls.who.value);
    if (controls.order.value !== "start") wish.set("order", controls.order.value);
    for (const name of ["critical", "whole"]) if (pressed(controls[name])) wish.set(name, "");
    if (zoom > 1) wish.set("zoom", String(zoom));
    if (chosen >= 0) wish.set("task", String(chosen + 1));
    history.replaceState(null, "", "#" + wish);
    apply();
  }

  function key(row) {
    if (controls.order.value === "who") return tasks[row].who[0] || "\uffff";
    if (controls.order.value === "slack") return tasks[row].slack === null ? Infinity : tasks[row].slack;
    return 0;
  }

  function apply() {
    const word = controls.search.value.trim().toLowerCase();
    const who = controls.who ? controls.who.value : "";
    const rows = tasks.map((_task, row) => row).filter((row) => (!word || texts[row].includes(word))
      && (!who || tasks[row].who.includes(who))
      && (!pressed(controls.critical) || (tasks[row].slack !== null && tasks[row].slack <= 0)));
    rows.sort((a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a - b));
    places = tasks.map(() => -1);
    rows.forEach((row, place) => { places[row] = place; });
    items.forEach((item, row) => { item.hidden = places[row] < 0; });
    names.append(...rows.map((row) => items[row]));
    for (const chart of charts) {
      chart.bars.setAttribute("height", String(ROW * rows.length));
      chart.rows.forEach((node, row) => {
        node.toggleAttribute("hidden", places[row] < 0);
        node.setAttribute("transform", `translate(0 ${places[row] * ROW})`);
        node.classList.toggle("chosen", row === chosen);
      });
    }
    canvases.forEach((canvas, place) => {
      canvas.hidden = canvases.length > 1 && pressed(controls.whole) !== (place === 1);
      canvas.style.width = `${zoom * 100}%`;
      canvas.classList.toggle("near", zoom >= 4);
    });
    const number = (n) => n.toLocaleString("en");
    const shown = byId("shown");
    shown.textContent = shown.dataset.text.replace("{shown}", number(rows.length)).replace("{total}", number(tasks.length));
    byId("none").hidden = rows.length > 0;
    picks.forEach((pick, row) => pick.setAttribute("aria-pressed", String(row === chosen)));
    byId("hint").hidden = chosen >= 0;
    tell();
    draw();
  }

  function tell() {
    detail.hidden = chosen < 0;
    if (chosen < 0) return;
    detail.querySelector("h3").textContent = picks[chosen].textContent;
    const list = detail.querySelector("dl");
    list.replaceChildren(...tasks[chosen].lines.flatMap(([title, value]) => {
      const dt = document.createElement("dt");
      const dd = document.createElement("dd");
      dt.textContent = title;
      dd.textContent = value;
      return [dt, dd];
    }));
    detail.querySelector(".from").replaceChildren(...tasks[chosen].from.map(([before, resource]) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      const text = resource ? detail.dataset.hands : detail.dataset.after;
      button.textContent = text.replace("{resource}", () => resource).replace("{task}", () => picks[before].textContent);
      button.addEventListener("click", () => choose(before));
      item.append(button);
      return item;
    }));
  }

  // From what the chosen task waits for to it, and from it to what waits for it.
  function draw() {
    document.querySelectorAll(".hand").forEach((node) => node.remove());
    if (chosen < 0 || places[chosen] < 0) return;
    const chart = charts.find((_one, place) => !canvases[place].hidden);
    const ends = (row) => {
      const node = chart.rows[row];
      const bars = Array.from(node.querySelectorAll(".bar")).map((bar) => bar.getBoundingClientRect());
      const left = chart.bars.getBoundingClientRect().left;
      return {
        first: Math.min(...bars.map((b) => b.left)) - left,
        last: Math.max(...bars.map((b) => b.right)) - left,
        y: places[row] * ROW + ROW / 2,
      };
    };
    const hand = (before, after, resource) => {
      if (places[before] < 0 || places[after] < 0) return;
      const a = ends(before);
      const b = ends(after);
      const path = document.createElementNS(SVG, "path");
      const x = Math.max(a.last, 6);
      const bend = b.first >= x + 8 ? b.first - 6 : x + 8;
      path.setAttribute("d", `M${x} ${a.y}H${bend}V${b.y}H${b.first}`);
      path.setAttribute("class", resource ? "hand resource" : "hand");
      chart.bars.append(path);
    };
    tasks[chosen].from.forEach(([before, resource]) => hand(before, chosen, resource));
    into[chosen].forEach(([after, resource]) => hand(chosen, after, resource));
  }

  function choose(row) {
    chosen = row === chosen ? -1 : row;
    write();
    if (chosen < 0) return;
    const time = byId("time");
    const chart = charts.find((_one, place) => !canvases[place].hidden);
    const bar = chart.rows[chosen].querySelector(".bar").getBoundingClientRect();
    const box = time.getBoundingClientRect();
    if (bar.left < box.left || bar.right > box.right) time.scrollLeft += bar.left - box.left - 60;
  }

  picks.forEach((pick, row) => pick.addEventListener("click", () => choose(row)));
  for (const chart of charts) {
    chart.rows.forEach((node, row) => node.addEventListener("click", () => choose(row)));
  }
  controls.search.addEventListener("input", write);
  for (const name of ["who", "order"]) if (controls[name]) controls[name].addEventListener("change", write);
  for (const name of ["critical", "whole"]) {
    if (!controls[name]) continue;
    controls[name].addEventListener("click", () => {
      controls[name].setAttribute("aria-pressed", String(!pressed(controls[name])));
      write();
    });
  }
  controls.closer.addEventListener("click", () => { zoom = Math.min(zoom * 2, 32); write(); });
  controls.wider.addEventListener("click", () => { zoom = Math.max(zoom / 2, 1); write(); });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => { if (event.key === "Escape" && chosen >= 0) choose(chosen); });
  window.addEventListener("hashchange", read);
  window.addEventListener("resize", draw);
  form.hidden = false;
  read();
})();
