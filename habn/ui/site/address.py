"""What page/address.js knows of the keys of `habn.ui.link.Link`."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from habn.comparison.examples import PATHS
from habn.data.styles import STYLES
from habn.data.weather import STRENGTHS, WEATHER
from habn.hooks.intervention import CONTEXTS, HIGHEST_STRENGTH
from habn.ui import link


def describe(pairs: Sequence[str]) -> dict[str, Any]:
    """Defaults, the first view, and of each key [kind, what it may be], for a site with these pairs of networks."""
    share, strength = ["whole", [0, 100]], ["number", [0, HIGHEST_STRENGTH]]
    keys = {
        "tab": ["choice", link.TABS],
        "example": ["choice", list(PATHS)],
        "pair": ["choice", list(pairs)],
        "style": ["choice", STYLES],
        "style_strength": share,
        "second_style": ["choice", STYLES],
        "second_share": share,
        "colours": ["choice", ["painting", "photo"]],
        "opacity": share,
        "layer": ["name", []],
        "channel": ["whole", [0, 99_999]],
        "pixel": ["list", ["whole", [0, 99_999], 2]],
        "range": ["choice", ["map", "layer", "network"]],
        "order": ["choice", ["depth", "strength"]],
        "channels": ["choice", ["index", "adapted"]],
        "zoom": ["choice", ["1", "2", "4"]],
        "overlay": share,
        "weather": ["choice", list(WEATHER)],
        "strength": ["number", [0, max(STRENGTHS)]],
        "place": ["list", ["number", [0, 1], 2]],
        **dict.fromkeys(("scale", "bias", "mean", "var"), strength),
        "context": ["choice", [name for name in CONTEXTS if name != "painted"]],
        "layers": ["list", ["name", []]],
        "step": ["whole", [1, link.LEARN_STEPS]],
        "hide": ["list", ["choice", link.HIDEABLE]],
    }
    defaults, first = (_view(view, pairs) for view in (link.Link(), link.FIRST_VIEW))
    return {"keys": keys, "defaults": defaults, "first": first, "foreign": ["view", "deep_link"]}


def _view(view: link.Link, pairs: Sequence[str]) -> dict[str, Any]:
    """What an address can say of a view; a pair that the site does not have becomes its first."""
    values = {key: value for key, value in asdict(view).items() if key != "ignored"}
    return values | {"pair": view.pair if view.pair in pairs else pairs[0]}
