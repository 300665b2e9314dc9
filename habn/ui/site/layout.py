"""The page as data: what Gradio's front end would be sent, without Gradio."""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import gradio as gr

from habn.errors import HabnError
from habn.ui.page import build_page

KEPT = {
    *("value", "label", "elem_classes", "visible", "interactive", "choices", "minimum", "maximum", "step", "id"),
    *("scale", "min_width", "open", "height", "max_height", "placeholder", "alt_text"),
}
"""What the site's scripts know of a component's properties."""
KINDS = {
    *("row", "column", "form", "tabs", "tabitem", "accordion", "html", "markdown", "state", "image", "imageslider"),
    *("radio", "slider", "button", "code"),
}
"""The components that the site's scripts can draw, in page/components.js."""

LEFT_OUT = {"downloads", "downloads-help", "below"}
"""Classes of what the site does without: downloads at the photo's own size, and how long a server keeps a photo."""

PAGE = Path(__file__).parent / "page"


class SiteError(HabnError):
    """One sentence on a site that cannot be built, and what to do."""


def describe_page() -> dict[str, Any]:
    """The page's components, the parts that some of them are made of, their layout, and what calls which callback.

    Raises:
        SiteError: when the page has a component that the site's scripts cannot draw.
    """
    page = build_page()
    config = page.get_config_file()
    every = {component["id"]: component for component in config["components"]}
    events = [
        _event(event, page.fns[event["id"]].fn)
        for event in config["dependencies"]
        if event["api_visibility"] == "private"
    ]
    known = answered()
    idle = {id for event in events if event.get("answer", "") not in known for id, _ in event["on"]}
    idle -= {id for event in events if event.get("answer", "") in known for id, _ in event["on"]}
    left_out = {id for id in idle if every[id]["type"] in ("button", "html")}
    left_out |= {component["id"] for component in every.values() if component["type"] == "group"}
    left_out |= {
        component["id"] for component in every.values() if LEFT_OUT & set(component["props"].get("elem_classes") or ())
    }
    layout = _shown(config["layout"], left_out)
    ids = _ids(layout)
    parts: dict[str, dict[str, str]] = {}
    components = {}
    for component in every.values():
        if component["id"] in ids:
            components[component["id"]] = _describe(component, parts)
    return {
        "title": config["title"],
        "components": components,
        "parts": parts,
        "layout": layout,
        "events": [event for event in events if "script" in event or event.get("answer") in known],
    }


def answered() -> set[str]:
    """The callbacks that the site's scripts answer. A button or part whose events nothing answers is left out."""
    names = set()
    for path in PAGE.glob("*.js"):
        text = path.read_text(encoding="utf-8")
        names |= set(re.findall(r'"(habn\.ui\.[\w.]+)":', text))
        if home := re.search(r'const HERE = "([\w.]+\.)";', text):
            names |= {home[1] + name for name in re.findall(r"\[`\$\{HERE\}(\w+)`\]", text)}
    return names


def _shown(node: dict[str, Any], left_out: set[int]) -> dict[str, Any]:
    """The layout without what cannot be answered, and without the endpoints' components, which nobody sees."""
    children = [_shown(child, left_out) for child in node.get("children") or [] if child["id"] not in left_out]
    return {"id": node["id"], **({"children": children} if children else {})}


def _ids(node: dict[str, Any]) -> set[int]:
    return {node["id"]}.union(*map(_ids, node.get("children", ())))


def _describe(component: dict[str, Any], parts: dict[str, dict[str, str]]) -> dict[str, Any]:
    kind, props = component["type"], component["props"]
    if kind not in KINDS:
        raise SiteError(
            f"The page has a component {kind!r}, which the site cannot draw; add it to page/components.js and KINDS."
        )
    kept = {name: value for name, value in props.items() if name in KEPT and value not in (None, [])}
    if kind == "html":
        made_of = {key: props.get(key) or "" for key in ("html_template", "css_template", "js_on_load")}
        name = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:8]
        parts[name] = made_of
        kept |= {"part": name}
    if kind == "image":
        kept.pop("value", None)  # an address that only a server has
    return {"kind": kind, **kept}


def _event(event: dict[str, Any], callback: Any) -> dict[str, Any]:
    return {
        "id": event["id"],
        "on": [list(target) for target in event["targets"] if target[0] is not None],
        "after": event["trigger_after"],
        "inputs": event["inputs"],
        "outputs": event["outputs"],
        "mode": event["trigger_mode"],
        **({"script": event["js"]} if event["js"] else {}),
        **({"answer": f"{callback.__module__}.{callback.__qualname__}"} if event["backend_fn"] else {}),
    }


def stylesheet(theme: gr.themes.Base) -> str:
    """The theme's colours and sizes, for light and dark."""
    return theme._get_theme_css()
