
"use strict";
(() => {
  const form = document.getElementById("filter");
  if (!form) return;
  const list = document.getElementById("list");
  const rows = Array.from(list.children).map((node, place) => ({
    node,
    first: place, // the order of the page: worst first
    severity: node.dataset.severity,
    gate: node.dataset.gate,
    place: node.querySelector(".place").textContent,
    rule: node.querySelector(".rule").textContent,
    text: node.textContent.toLowerCase(),
  }));
  const buttons = Array.from(form.querySelectorAll("button"));
  const gate = document.getElementById("gate");
  const sort = document.getElementById("sort");
  const search = document.getElementById("search");
  const shown = document.getElementById("shown");
  const none = document.getElementById("none");
  let severity = "";
  let sorted = "severity";

  // The filter lives in the address, so that a filtered page can be bookmarked and sent.
  function read() {
    const wish = new URLSearchParams(location.hash.slice(1));
    severity = buttons.some((b) => b.dataset.severity === wish.get("severity")) ? wish.get("severity") : "";
    gate.value = wish.get("gate") || "";
    if (gate.selectedIndex < 0) gate.value = "";
    sort.value = wish.get("sort") || "severity";
    if (sort.selectedIndex < 0) sort.value = "severity";
    search.value = wish.get("search") || "";
    apply();
    return wish;
  }

  function write() {
    const wish = new URLSearchParams();
    if (severity) wish.set("severity", severity);
    if (gate.value) wish.set("gate", gate.value);
    if (sort.value !== "severity") wish.set("sort", sort.value);
    if (search.value) wish.set("search", search.value);
    history.replaceState(null, "", "#" + wish);
    apply();
  }

  function apply() {
    const word = search.value.trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = (!severity || row.severity === severity)
        && (!gate.value || row.gate === gate.value)
        && (!word || row.text.includes(word));
      row.node.hidden = !fits;
      count += fits;
    }
    if (sort.value !== sorted) {
      sorted = sort.value;
      const key = sorted;
      const order = (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : a.first - b.first);
      rows.sort(key === "severity" ? (a, b) => a.first - b.first : order);
      list.append(...rows.map((row) => row.node));
    }
    for (const button of buttons) {
      button.setAttribute("aria-pressed", String(button.dataset.severity === severity));
    }
    const number = (n) => n.toLocaleString("en"); // as the rest of the page writes it
    shown.textContent = shown.dataset.text
      .replace("{shown}", number(count)).replace("{total}", number(rows.length));
    none.hidden = count > 0;
  }

  for (const button of buttons) {
    button.addEventListener("click", () => { severity = button.dataset.severity; write(); });
  }
  gate.addEventListener("change", write);
  sort.addEventListener("change", write);
  search.addEventListener("input", write);
  form.addEventListener("submit", (event) => event.preventDefault());
  window.addEventListener("hashchange", () => {
    if (read().has("gate")) document.getElementById("findings").scrollIntoView();
  });
  form.hidden = false;
  read();
})();
