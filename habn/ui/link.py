"""Links to a view: what the address of the page says, key by key.

A bare address is the first view (`FIRST_VIEW`), which is measured and may change. An address that says anything says
all, so that an old link opens what it always opened: what it leaves out is a default of `Link`, which never changes.

`Link` reads an address's query string and writes one; link.js keeps the browser's address equal to what is shown. The
front end sends the address with every event, so a callback with a `gr.Request` learns from `link_of` what the visitor
looks at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import gradio as gr

from habn.comparison.examples import PATHS
from habn.comparison.first_view import load_first_view
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS
from habn.data.styles import STYLES
from habn.data.weather import STRENGTHS, WEATHER
from habn.hooks.intervention import CONTEXTS, HIGHEST_STRENGTH
from habn.hooks.record import LayerRecord
from habn.ui import words

TABS = ("compare", "layers", "experiment", "learn", "results")
PAINTING = ("style", "style_strength", "second_style", "second_share", "colours")
"""The keys that say how a style pair paints."""
HIDEABLE = ("introduction", "tabs", "photo", "settings", "figures", "export", "answers")
"""Parts of the page, each the elements of class part-NAME, that `hide` takes away: in class, less is more."""
LEARN_STEPS = 6

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,99}")
_DIGITS = re.compile(r"[0-9]{1,6}")
N = TypeVar("N", int, float)
_DECIMAL = re.compile(r"[0-9]{1,3}(\.[0-9]{1,20})?")


# A reader takes the text of a key, and raises ValueError where it is not one of the values that the key may have.


def _one_of(*choices: str) -> Callable[[str], str]:
    return lambda text: choices[choices.index(text)]


def _whole(low: int, high: int) -> Callable[[str], int]:
    return lambda text: _within(int(_matching(_DIGITS, text)), low, high)


def _number(low: float, high: float) -> Callable[[str], float]:
    return lambda text: _within(float(_matching(_DECIMAL, text)), low, high)


def _name(text: str) -> str:
    return _matching(_NAME, text)


def _list_of(read: Callable[[str], Any], count: int | None = None) -> Callable[[str], tuple]:
    def read_list(text: str) -> tuple:
        parts = text.split(",")
        if len(parts) > 100 or count not in (None, len(parts)):
            raise ValueError(text)
        return tuple(read(part) for part in parts)

    return read_list


def _matching(pattern: re.Pattern, text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError(text)
    return text


def _within(value: N, low: float, high: float) -> N:
    if not low <= value <= high:
        raise ValueError(value)
    return value


def _key(read: Callable[[str], Any], default: Any = None) -> Any:
    return field(default=default, metadata={"read": read})


@dataclass(frozen=True, kw_only=True)
class Link:
    """A view of the page; what is None is left to the page.

    Attributes:
        tab: one of TABS.
        example: the name of an example, of `examples.PATHS`.
        pair: a key of `PAIRS`.
        style, second_style: keys of `STYLES`; style_strength, second_share: in percent; colours: whose they are. See
            `painting`.
        opacity: of the classes' colours over the photo, in percent.
        layer: name of a normalization layer; None for the one that adapts most.
        channel, pixel: of that layer; pixel is (row, column).
        range, order, channels, zoom, overlay: how the inspector shows it.
        weather, strength, place: weather over the photo of the experiment; place is (x, y) in fractions of the photo.
        scale, bias, mean, var: strength of each parameter's adaptation in the experiment, 0 to 2.
        context: of the experiment, as in `Intervention`; a painted map is too large for a link.
        layers: names of the layers that the experiment changes; None for all.
        step: of the lesson.
        hide: parts of the page that are not shown, of HIDEABLE.
        ignored: keys of the address that are unknown, or had a value that is none.
    """

    tab: str = _key(_one_of(*TABS), TABS[0])
    example: str = _key(_one_of(*PATHS), "scene_1")
    pair: str = _key(_one_of(*PAIRS), next(iter(PAIRS)))
    style: str = _key(_one_of(*STYLES), "starry_night")
    style_strength: int = _key(_whole(0, 100), 100)
    second_style: str | None = _key(_one_of(*STYLES))
    second_share: int = _key(_whole(0, 100), 50)
    colours: str = _key(_one_of("painting", "photo"), "painting")
    opacity: int = _key(_whole(0, 100), 70)
    layer: str | None = _key(_name)
    channel: int | None = _key(_whole(0, 99_999))
    pixel: tuple[int, int] | None = _key(_list_of(_whole(0, 99_999), 2))
    range: str = _key(_one_of("map", "layer", "network"), "map")
    order: str = _key(_one_of("depth", "strength"), "depth")
    channels: str = _key(_one_of("index", "adapted"), "index")
    zoom: int = _key(lambda text: int(_one_of("1", "2", "4")(text)), 1)
    overlay: int = _key(_whole(0, 100), 100)
    weather: str | None = _key(_one_of(*WEATHER))
    strength: float | None = _key(_number(0, max(STRENGTHS)))
    place: tuple[float, float] | None = _key(_list_of(_number(0, 1), 2))
    scale: float = _key(_number(0, HIGHEST_STRENGTH), 1.0)
    bias: float = _key(_number(0, HIGHEST_STRENGTH), 1.0)
    mean: float = _key(_number(0, HIGHEST_STRENGTH), 1.0)
    var: float = _key(_number(0, HIGHEST_STRENGTH), 1.0)
    context: str = _key(_one_of(*(choice for choice in CONTEXTS if choice != "painted")), "own")
    layers: tuple[str, ...] | None = _key(_list_of(_name))
    step: int = _key(_whole(1, LEARN_STEPS), 1)
    hide: tuple[str, ...] = _key(_list_of(_one_of(*HIDEABLE)), ())
    ignored: tuple[str, ...] = ()

    @classmethod
    def parse(cls, query: Mapping[str, str]) -> Link:
        """The view that a query string's keys and texts describe; never an error: see `ignored`."""
        readers = {key.name: key.metadata["read"] for key in _keys()}
        values, ignored = {}, []
        for key, text in query.items():
            if key.startswith("__") or key in _OF_GRADIO:
                continue
            try:
                values[key] = readers[key](text)
            except (KeyError, ValueError):
                ignored.append(key)
        return cls(**values, ignored=tuple(ignored)) if values else replace(FIRST_VIEW, ignored=tuple(ignored))

    def query(self) -> str:
        """The query string, without its question mark: nothing of the first view."""
        if replace(self, ignored=()) == FIRST_VIEW:
            return ""
        defaults = Link()
        changed = {key.name: _text(getattr(self, key.name)) for key in _keys() if self._differs(key.name, defaults)}
        return urlencode({key: text for key, text in changed.items() if text}, safe=",")

    def entries(self, *keys: str) -> dict[str, Any]:
        """Keys and values for link.js, which leaves out of the address what is null: the defaults of `Link`."""
        return {key: getattr(self, key) if self._differs(key, Link()) else None for key in keys}

    @property
    def painting(self) -> Painting:
        """How a style pair is to paint."""
        shares = {"strength": self.style_strength / 100, "second_share": self.second_share / 100}
        return Painting(self.style, second_style=self.second_style, keep_colours=self.colours == "photo", **shares)

    def painted(self, painting: Painting | None) -> Link:
        """This view with another painting; without one, as for segmentation, with the first."""
        if painting is None:
            return self.painted(Link().painting)
        return replace(
            self,
            style=painting.style,
            style_strength=round(100 * painting.strength),
            second_style=painting.second_style,
            second_share=round(100 * painting.second_share) if painting.second_style else Link.second_share,
            colours="photo" if painting.keep_colours else "painting",
        )

    def look(self) -> dict[str, Any]:
        """How the inspector is to show the layer and channel: the `look` of its value."""
        names = ("range", "order", "channels", "zoom", "overlay")
        return {"pixel": self.pixel and list(self.pixel)} | {name: getattr(self, name) for name in names}

    def within(self, records: Sequence[LayerRecord]) -> Link:
        """This view without the layer, channel and pixel that a network with these records does not have."""
        index = self.layer_among(records)
        channels, height, width = (0, 0, 0) if index is None else records[index].shape
        absent = {
            "layer": self.layer is not None and index is None,
            "channel": self.channel is not None and self.channel >= channels,
            "pixel": self.pixel is not None and not (self.pixel[0] < height and self.pixel[1] < width),
        }
        missing = tuple(key for key, is_absent in absent.items() if is_absent)
        nothing: dict[str, Any] = dict.fromkeys(missing)
        return replace(self, **nothing, ignored=self.ignored + missing)

    def layer_among(self, records: Sequence[LayerRecord]) -> int | None:
        """The index of the layer in a network's records; None where the view names none, or none of these."""
        return next((index for index, record in enumerate(records) if record.name == self.layer), None)

    def _differs(self, key: str, other: Link) -> bool:
        """Whether an address must name a key; the pair it always names, and so it is never bare by chance."""
        return key == "pair" or getattr(self, key) != getattr(other, key)


def link_of(request: gr.Request | None) -> Link:
    """The view that the address of the visitor's page describes at this moment; `Link()` for programs."""
    return Link.parse(request.query_params) if request else Link()


def head() -> str:
    """link.js for the head of the page, told what need not stand in an address and which parts may be hidden."""
    defaults = {key.name: _text(value) for key in _keys() if (value := getattr(Link(), key.name)) is not None}
    first = FIRST_VIEW.entries("example", "pair", *PAINTING)
    known: dict[str, Any] = {
        "DEFAULTS": defaults,
        "FIRST_VIEW": {key: _text(value) for key, value in first.items() if value},
    }
    titles = {language: [words.say(f"page.{tab}", language) for tab in TABS] for language in words.LANGUAGES}
    known |= {"TABS": TABS, "TITLES": titles, "HIDEABLE": HIDEABLE}
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in known.items())
    script = Path(__file__).with_name("link.js").read_text(encoding="utf-8")
    return f"<script>(() => {{\n{constants}{script}}})();</script>"


def on_change_of(key: str) -> str:
    """JavaScript for an event's `js`: its input's value becomes the value of a key."""
    return f"(value) => {{ {_dispatch(f'{{{key}: value}}')} }}"


def on_choice_of(key: str, value: str) -> str:
    """JavaScript for an event's `js`: a key takes this value."""
    return f"() => {{ {_dispatch(json.dumps({key: value}))} }}"


def _dispatch(detail: str) -> str:
    return f'document.dispatchEvent(new CustomEvent("habn-link", {{detail: {detail}}}));'


def _keys() -> list[Field]:
    return [key for key in fields(Link) if key.metadata]


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(map(_text, value))
    return f"{value:.6f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


_OF_GRADIO = ("view", "deep_link")  # its front end puts these into the address, and keys that begin with "__"


def _read_first_view() -> Link:
    """The measured one; the defaults where its pair is not there, or the owner shows networks of their own."""
    measured = load_first_view()
    if measured.pair not in PAIRS or PAIRS[Link.pair].task == "own":
        return Link()
    return Link(example=measured.example, pair=measured.pair, style=measured.style or Link.style)


FIRST_VIEW = _read_first_view()
"""What the page opens on."""
