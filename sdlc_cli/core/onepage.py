"""An HTML page that needs nothing but itself: its style and its script inside, allowed by hash."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path

import jinja2
from markupsafe import Markup


def render(folder: Path, values: Mapping[str, object]) -> str:
    """The page of `report.html.j2` in `folder`, with `report.css` and, where it is, `report.js`.

    All values are escaped. The template prints `policy`, which lets a browser ask for nothing and
    run nothing else than these two files, and `style` and `script`.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style = (folder / "report.css").read_text(encoding="utf-8")
    source = folder / "report.js"
    script = source.read_text(encoding="utf-8") if source.exists() else ""
    rules = ["default-src 'none'", f"style-src '{_hash(style)}'"]
    rules += [f"script-src '{_hash(script)}'"] if script else []
    rules += ["base-uri 'none'", "form-action 'none'"]
    return environment.get_template("report.html.j2").render(
        # Our own files, and the policy allows them by hash: nothing of the report is in them.
        style=Markup(style),
        script=Markup(script),
        policy=Markup("; ".join(rules)),
        **values,
    )


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
