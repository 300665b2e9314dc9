"""What a visitor, a program or a link asks of an experiment: nothing else of the page reads their payloads."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from habn.data.weather import WeatherSetting
from habn.hooks.intervention import Intervention
from habn.layers import PARAMETERS
from habn.ui.link import Link
from habn.ui.refusals import SettingsError

LONGEST_SIDE = 120
"""Of a map *s* on its way between browser and server: 14 kB as text, and finer than a brush."""


@dataclass(frozen=True)
class MapRange:
    """What 0 and 255 stand for in a map *s* of bytes."""

    low: float
    high: float

    @classmethod
    def of(cls, context: np.ndarray) -> "MapRange":
        """[0, 1], where a min-max normalized map lies, or as much more as another normalization needs."""
        return cls(min(0.0, float(context.min())), max(1.0, float(context.max())))

    def encode(self, context: np.ndarray) -> np.ndarray:
        """Bytes from a map."""
        return np.rint((context - self.low) / (self.high - self.low) * 255).clip(0, 255).astype(np.uint8)

    def decode(self, levels: np.ndarray) -> np.ndarray:
        """A map, float32, from bytes."""
        return np.float32(self.low) + levels.astype(np.float32) * np.float32((self.high - self.low) / 255)


def read_weather(settings: Mapping[str, Any]) -> WeatherSetting:
    """A weather from {"name", "strength", "place": [x, y] or null}.

    Raises:
        SettingsError, WeatherError, InterventionError: one sentence, if they are not as above.
    """
    place = settings.get("place")
    return WeatherSetting(
        str(settings.get("name")),
        _number("strength", settings.get("strength")),
        None if place is None else tuple(_number("place", value) for value in _list("place", place)),
    )


def read_layers(settings: Mapping[str, Any]) -> frozenset[str] | None:
    """The layers that {"layers": names or null} names, or None for all.

    Raises:
        SettingsError, WeatherError, InterventionError: one sentence, if they are not as above.
    """
    layers = settings.get("layers")
    return None if layers is None else frozenset(map(str, _list("layers", layers)))


def read_intervention(settings: Mapping[str, Any], ends: MapRange = MapRange(0.0, 1.0)) -> Intervention:
    """An intervention from {"layers", "strength": [4], "adapted": [4 booleans], "context", "painted"}.

    A parameter that is not adapted is frozen, whatever its strength. "painted" without a map is the map that the layer
    has, since nothing was painted yet.

    Args:
        settings: as above; layers as in `read_layers`; the painted map is null or {"height", "width", "data": base64
            of as many bytes}.
        ends: what the bytes of the painted map stand for.

    Raises:
        SettingsError, WeatherError, InterventionError: one sentence, if they are not as above.
    """
    strength = [_number("strength", value) for value in _list("strength", settings.get("strength"))]
    adapted = [bool(value) for value in _list("adapted", settings.get("adapted"))]
    if len(adapted) != len(strength):
        raise SettingsError("Strength and adapted must have one entry for each of scale, bias, mean and var.")
    context, painted = settings.get("context", ""), settings.get("painted")
    if context == "painted" and painted is None:
        context = "own"
    return Intervention(
        tuple(value * chosen for value, chosen in zip(strength, adapted, strict=True)),
        context,
        ends.decode(_read_map(painted)) if context == "painted" else None,
        read_layers(settings),
    )


def settings_of(link: Link) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of weather and of adaptation from a link: those that it sets; the controls know what they start from."""
    weather = {"name": link.weather, "strength": link.strength, "place": link.place and list(link.place)}
    strength = [getattr(link, name) for name in PARAMETERS]
    adaptation = {
        "layers": link.layers and list(link.layers),
        "context": link.context,
        # A frozen parameter is as strong as it was learned when it is let go again.
        "strength": [value or 1.0 for value in strength],
        "adapted": [value > 0 for value in strength],
    }
    is_changed = strength != [1.0] * len(strength) or link.context != "own" or link.layers is not None
    return {key: value for key, value in weather.items() if value is not None}, adaptation if is_changed else {}


def encode_map(context: np.ndarray) -> tuple[np.ndarray, MapRange]:
    """A map (H, W) reduced to at most `LONGEST_SIDE`, as bytes, and what they stand for."""
    ends = MapRange.of(context)
    step = -(-max(context.shape) // LONGEST_SIDE)
    rows, columns = context.shape[0] // step, context.shape[1] // step
    small = context[: rows * step, : columns * step].reshape(rows, step, columns, step).mean((1, 3))
    return ends.encode(small), ends


def _read_map(painted: Any) -> np.ndarray:
    try:
        height, width = int(painted["height"]), int(painted["width"])
        data = base64.b64decode(painted["data"], validate=True)
    except (TypeError, KeyError, ValueError, OverflowError):
        raise SettingsError("The painted map cannot be read; draw it again.") from None
    if not (0 < height <= LONGEST_SIDE and 0 < width <= LONGEST_SIDE and len(data) == height * width):
        raise SettingsError(
            f"The painted map must have at most {LONGEST_SIDE} rows and columns, a byte for each pixel."
        )
    return np.frombuffer(data, np.uint8).reshape(height, width)


def _list(name: str, value: object) -> list:
    if not isinstance(value, list | tuple):
        raise SettingsError(f"The {name} must be a list, not {value!r}.")
    return list(value)


def _number(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise SettingsError(f"The {name} must be given in numbers, not as {value!r}.")
    try:
        return float(value)
    except OverflowError:
        raise SettingsError(f"The {name} is too large a number; give a smaller one.") from None
