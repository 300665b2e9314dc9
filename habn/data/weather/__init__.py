"""Weather: seeded changes of light that differ across the picture, at five strengths, as differentiable functions.

One set of statistics for all pixels suits a picture whose light is the same everywhere. Each change in `changes` breaks
that, in linear light; `apply_weather` brings pixels there and back. Positions are fractions of width and height and
lengths are fractions of the height, so the same seed is the same weather at every size.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from habn.data.weather.changes import WEATHER, Weather
from habn.data.weather.placement import build_placement, uniform
from habn.errors import HabnError

__all__ = ["STRENGTHS", "WEATHER", "Weather", "WeatherSetting", "apply_weather", "draw_place", "random_weather"]

STRENGTHS = (1, 2, 3, 4, 5)
GAMMA = 2.2
TOE = 0.01


class WeatherError(HabnError):
    """One sentence on a weather that cannot be laid over a picture, and what to do."""


@dataclass(frozen=True)
class WeatherSetting:
    """One weather as it is laid over a picture.

    Attributes:
        name: a key of `WEATHER`.
        strength: in [0, 5]; 0 leaves the picture as it is.
        place: (x, y) of the change in [0, 1] of width and height; None for `draw_place` of the seed.
        seed: draws all else about it, such as the angle of a shadow.

    Raises:
        WeatherError: one sentence, if an attribute is not as above.
    """

    name: str
    strength: float
    place: tuple[float, ...] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _find(self.name)
        _check_setting(self.strength, self.place)

    def apply(self, pixels: Tensor) -> Tensor:
        """Lay it over pixels (N, 3, H, W) in [0, 1]; see `apply_weather`."""
        return apply_weather(pixels, self.name, self.strength, self.seed, self.place)


def apply_weather(
    pixels: Tensor, name: str, strength: float, seed: int | Tensor = 0, place: tuple[float, ...] | None = None
) -> Tensor:
    """Lay a weather over pictures: pixels' = display(weather(linear(pixels))), with linear(v) = v^2.2.

    Args:
        pixels: (N, 3, H, W) float32 or float64 in [0, 1], on any device; never changed.
        name: a key of `WEATHER`.
        strength: in [0, 5]; 0 is the identity, `STRENGTHS` are the five that tables report.
        seed: one for the whole batch, or (N,) integers.
        place: (x, y) of the change in [0, 1] of width and height; None for `draw_place` of the seed.

    Returns:
        (N, 3, H, W) in [0, 1], a new tensor like `pixels`, to which gradients flow back.

    Raises:
        WeatherError: one sentence, if an argument is not as above.
    """
    weather = _find(name)
    _check(pixels, strength, seed, place)
    if strength == 0:
        return pixels.clone()
    seeds = seed.tolist() if isinstance(seed, Tensor) else [seed]
    places = [draw_place(name, seed) if place is None else place for seed in seeds]
    placement = build_placement(pixels, places, seeds)
    return _to_display(weather.apply(_to_linear(pixels), float(strength), placement))


def random_weather(pixels: Tensor, generator: torch.Generator) -> Tensor:
    """Leave each picture as it is or, with probability 1/2, lay a random weather of strength 0 to 4 over it.

    Args:
        pixels: (N, 3, H, W) float32 or float64 in [0, 1].
        generator: draws everything; the same state gives the same weather on every device.
    """
    draws = torch.rand(len(pixels), 4, dtype=torch.float64, generator=generator, device=generator.device).tolist()
    names = list(WEATHER)
    changed = [
        apply_weather(picture, names[int(kind * len(names))], 4 * strength * (coin < 0.5), int(seed * 2**31))
        for picture, (coin, kind, strength, seed) in zip(pixels.split(1), draws, strict=True)
    ]
    return torch.cat(changed)


def draw_place(name: str, seed: int) -> tuple[float, float]:
    """Where `seed` places the weather `name`: (x, y) in [0, 1] of width and height."""
    left, top, right, bottom = _find(name).home
    across, down = uniform(seed, 2).tolist()
    return left + across * (right - left), top + down * (bottom - top)


def _to_linear(pixels: Tensor) -> Tensor:
    """Light in [0, 1] from pixels: v^2.2, shifted by a toe so that the slope of the way back is finite at black."""
    return ((pixels.clamp(0, 1) + TOE) ** GAMMA - TOE**GAMMA) / ((1 + TOE) ** GAMMA - TOE**GAMMA)


def _to_display(light: Tensor) -> Tensor:
    """Pixels in [0, 1] from light, the inverse of `_to_linear`; light above 1 is white."""
    scaled = light.clamp(0, 1) * ((1 + TOE) ** GAMMA - TOE**GAMMA) + TOE**GAMMA
    return (scaled ** (1 / GAMMA) - TOE).clamp(0, 1)


def _find(name: str) -> Weather:
    if name not in WEATHER:
        raise WeatherError(f"There is no weather {name!r}; choose one of {', '.join(WEATHER)}.")
    return WEATHER[name]


def _check(pixels: Tensor, strength: float, seed: int | Tensor, place: tuple[float, ...] | None) -> None:
    if pixels.ndim != 4 or pixels.shape[1] != 3 or 0 in pixels.shape:
        raise WeatherError(f"Weather needs pixels of shape (N, 3, H, W), not {tuple(pixels.shape)}.")
    if pixels.dtype not in (torch.float32, torch.float64):
        raise WeatherError(
            f"Weather needs float32 or float64 pixels in [0, 1], not {pixels.dtype}: convert them first."
        )
    many = isinstance(seed, Tensor) and seed.shape == pixels.shape[:1] and not seed.is_floating_point()
    if not many and not isinstance(seed, int):
        raise WeatherError(f"The seed of a weather is an integer, or a tensor of {len(pixels)} for as many pictures.")
    _check_setting(strength, place)


def _check_setting(strength: float, place: tuple[float, ...] | None) -> None:
    if not 0 <= strength <= max(STRENGTHS):
        raise WeatherError(f"The strength of a weather is between 0 and {max(STRENGTHS)}, not {strength}.")
    if place is not None and not (len(place) == 2 and all(0 <= fraction <= 1 for fraction in place)):
        raise WeatherError(f"A place is (x, y) in [0, 1] of width and height, not {place}.")
