"""Weather: seeded changes of light that differ across the picture, at five strengths, as differentiable functions.

One set of statistics for all pixels suits a picture whose light is the same everywhere. Each change here breaks that,
in linear light L, with a model of one line; `apply_weather` brings pixels there and back. Positions are fractions of
width and height and lengths are fractions of the height, so the same seed is the same weather at every size.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

STRENGTHS = (1, 2, 3, 4, 5)
GAMMA = 2.2
TOE = 0.01
GRAIN_ROWS = 240
HALO_ROWS = 48
WAVES = 8


@dataclass(frozen=True, eq=False)
class View:
    """Where the pixels lie about the place of the change, and what the seed drew; M is N, or 1 for a batch alike.

    Attributes:
        right: (M, 1, 1, W), below: (M, 1, H, 1), from the place to the pixels' centres, in heights.
        aspect: width over height.
        draws: (M, 2 + 3 * WAVES, 1, 1), uniform in [0, 1): an angle, a width, and the waves of `patches`.
        seeds: M integers, for the sensor's noise.
    """

    right: Tensor
    below: Tensor
    aspect: float
    draws: Tensor
    seeds: tuple[int, ...]

    def bump(self, radius: float) -> Tensor:
        """(M, 1, H, W): exp(-r^2 / (2 radius^2)) of the distance r to the place, in heights."""
        return torch.exp(-(self.right**2 + self.below**2) / (2 * radius**2))

    def patches(self, flatness: float = 1.0) -> Tensor:
        """(M, 1, H, W) in (0, 1): smooth patches, sigmoid(sum_k cos(w_k . p + phi_k)), flattened as on a road."""
        angle, speed, phase = (2 * math.pi * self.draws[:, 2:]).split(WAVES, dim=1)
        speed = 0.5 * speed + math.pi  # half a cycle to one per height
        across, along = speed * angle.cos(), flatness * speed * angle.sin()
        return torch.cos(across * self.right + along * self.below + phase).sum(1, keepdim=True).sigmoid()


@dataclass(frozen=True)
class Weather:
    """A change of light.

    Attributes:
        name: its key in `WEATHER`.
        title: what people call it.
        description: one sentence for the page.
        apply: (light (N, 3, H, W) in [0, 1], strength, view) -> light (N, 3, H, W), at least 0, in linear light.
        home: left, top, right, bottom of the part of the picture in which the seed places it.
    """

    name: str
    title: str
    description: str
    apply: Callable[[Tensor, float, View], Tensor]
    home: tuple[float, float, float, float]


@dataclass(frozen=True)
class WeatherSetting:
    """One weather as it is laid over a picture.

    Attributes:
        name: a key of `WEATHER`.
        strength: in [0, 5]; 0 leaves the picture as it is.
        place: (x, y) of the change in [0, 1] of width and height; None for `draw_place` of the seed.
        seed: draws all else about it, such as the angle of a shadow.

    Raises:
        ValueError: one sentence, if an attribute is not as above.
    """

    name: str
    strength: float
    place: tuple[float, float] | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        _find(self.name)
        _check_setting(self.strength, self.place)

    def apply(self, pixels: Tensor) -> Tensor:
        """Lay it over pixels (N, 3, H, W) in [0, 1]; see `apply_weather`."""
        return apply_weather(pixels, self.name, self.strength, self.seed, self.place)


WEATHER: dict[str, Weather] = {}
"""Every weather by name, in the order in which tables and the page list them."""


def _weather(title: str, description: str, home: tuple[float, float, float, float]) -> Callable:
    """Enter a function of (light, strength, view) into `WEATHER` under its name."""

    def enter(apply: Callable) -> Callable:
        WEATHER[apply.__name__] = Weather(apply.__name__, title, description, apply, home)
        return apply

    return enter


def apply_weather(
    pixels: Tensor, name: str, strength: float, seed: int | Tensor = 0, place: tuple[float, float] | None = None
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
        ValueError: one sentence, if an argument is not as above.
    """
    weather = _find(name)
    _check(pixels, strength, seed, place)
    if strength == 0:
        return pixels.clone()
    view = _build_view(pixels, name, seed.tolist() if isinstance(seed, Tensor) else [seed], place)
    return _to_display(weather.apply(_to_linear(pixels), float(strength), view))


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
    across, down = _uniform(seed, 2).tolist()
    return left + across * (right - left), top + down * (bottom - top)


@_weather("Shadow edge", "A building's straight shadow covers one side of the picture.", home=(0.3, 0.35, 0.7, 0.65))
def shadow_edge(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = L 2^(-0.7 strength k m), m = sigmoid(u / w): one side of a straight edge loses the sun, not the sky.

    u is the distance to the edge, w the half-shadow's width; k is below 1 in blue, the colour of the light left.
    """
    angle, width = 2 * math.pi * view.draws[:, :1], 0.004 + 0.03 * view.draws[:, 1:2]
    shade = torch.sigmoid((view.right * angle.cos() + view.below * angle.sin()) / width)
    return light * torch.exp2(-0.7 * strength * _colour(light, 1.0, 0.97, 0.88) * shade)


@_weather("Haze", "Bright haze grows thicker toward the point where the street vanishes.", home=(0.35, 0.35, 0.65, 0.5))
def haze(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = L t + A (1 - t), t = exp(-beta d), Koschmieder's law, with beta = 0.06 strength^2.

    d is the depth of a street that vanishes at the place: 1 there and in the sky above it, and falling as
    1 / (1 + distance) down the road and toward the walls on both sides.
    """
    depth = 1 / (1 + torch.hypot(view.below.clamp(min=0) / 0.12, view.right / 0.6))
    clear = torch.exp(-0.06 * strength**2 * depth)
    return light * clear + _colour(light, 0.62, 0.66, 0.70) * (1 - clear)


@_weather("Low sun", "A low sun shines into the lens and veils what is near it.", home=(0.15, 0.1, 0.85, 0.4))
def low_sun(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = L + E / (1 + (r / 0.09)^2): veiling glare, which falls with the square of the angle to its source (CIE).

    E = 0.2 strength^1.7, in the colour of a sun near the horizon; r is the distance to the place.
    """
    glare = 0.2 * strength**1.7 / (1 + (view.right**2 + view.below**2) / 0.09**2)
    return light + glare * _colour(light, 1.0, 0.86, 0.62)


@_weather("Darkness", "Night falls in patches, and one lamp keeps a place light.", home=(0.2, 0.35, 0.8, 0.75))
def darkness(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = L 2^(-strength k (1 - p)): the exposure falls by one stop per strength, less in the pool p of a lamp.

    The pool lies at the place; elsewhere p is up to a third, in patches. Red falls most, as at night.
    """
    pool = 0.33 * view.patches() + 0.65 * view.bump(0.25)
    return light * torch.exp2(-strength * _colour(light, 1.06, 1.0, 0.9) * (1 - pool))


@_weather("Vignette", "The lens loses light toward the corners.", home=(0.4, 0.4, 0.6, 0.6))
def vignette(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = L cos^4(a), tan^2(a) = 0.7 strength r^2: the natural fall-off of a lens with a focal length ever shorter.

    r is the distance to the place, the optical centre, in units of half the diagonal.
    """
    squared = 4 * (view.right**2 + view.below**2) / (1 + view.aspect**2)
    return light / (1 + 0.7 * strength * squared) ** 2


@_weather(
    "Local contrast loss", "A smear on the windscreen washes out what lies behind it.", home=(0.25, 0.3, 0.75, 0.7)
)
def contrast_loss(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = (1 - a) L + a (G * L): a smear on the windscreen scatters a share a of the light into a wide halo.

    a is up to 0.18 strength at the place; the halo G is a Gaussian of 0.12 heights, made small since it is smooth.
    """
    small = (HALO_ROWS, max(1, round(HALO_ROWS * view.aspect)))
    halo = _blur(F.interpolate(light, small, mode="bilinear", antialias=True), 0.12 * HALO_ROWS)
    halo = F.interpolate(halo, light.shape[2:], mode="bilinear", antialias=True)
    share = 0.18 * strength * view.bump(0.5) * (0.7 + 0.3 * view.patches())
    return light + share * (halo - light)


@_weather("Wet-road glare", "The wet road in the lower half mirrors the sky and a lamp.", home=(0.3, 0.5, 0.7, 0.58))
def wet_glare(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = (1 - w R) L + w R S + E: a wet road that narrows toward the place mirrors the sky S and a lamp's streak E.

    R = (1 - cos(i))^5 is Schlick's reflectance, all but total toward the horizon; w is the wetness, in puddles; the
    streak hangs under the place and widens toward the camera, as the highlight of a rough surface does.
    """
    down, puddles = view.below.clamp(min=0), view.patches(flatness=5.0)
    road = torch.sigmoid(view.below / 0.008) * torch.sigmoid((0.1 + 2 * down - view.right.abs()) / (0.02 + 0.2 * down))
    mirrored = (1 - torch.exp(-0.3 * strength * puddles)) * (1 - down / torch.hypot(down, torch.ones_like(down))) ** 5
    width = 0.04 + 0.3 * down
    streak = (0.3 + 0.7 * puddles) * torch.exp(-0.5 * (view.right / width) ** 2 - down / 0.4)
    sky, lamp = _colour(light, 0.70, 0.74, 0.80), _colour(light, 1.0, 0.93, 0.8)
    return light + road * (mirrored * (sky - light) + 0.05 * strength**1.7 * streak * lamp)


@_weather("Local blur and noise", "Part of the picture is out of focus and grainy.", home=(0.25, 0.3, 0.75, 0.7))
def blur_noise(light: Tensor, strength: float, view: View) -> Tensor:
    """L' = G_sigma * L + n sqrt(a L + b): around the place the lens is blurred, the sensor noisy (shot and read noise).

    sigma is up to 0.0025 strength heights; between none, half and all of it the pictures are interpolated. The grain n
    is that of a picture of 240 rows.
    """
    amount, sigma = view.bump(0.3), 0.0025 * strength * light.shape[2]
    half, full = _blur(light, sigma / 2), _blur(light, sigma)
    blurred = torch.where(amount < 0.5, light + 2 * amount * (half - light), half + (2 * amount - 1) * (full - half))
    noise = _grain(light, view) * torch.sqrt(blurred + 0.006)
    return blurred + 0.035 * strength * amount * noise


def _build_view(pixels: Tensor, name: str, seeds: list[int], place: tuple[float, float] | None) -> View:
    height, width = pixels.shape[2:]
    places = [draw_place(name, seed) if place is None else place for seed in seeds]
    x0, y0 = torch.tensor(places, dtype=torch.float64).view(-1, 2, 1, 1).split(1, dim=1)
    x = (torch.arange(width, dtype=torch.float64) + 0.5) / width
    y = (torch.arange(height, dtype=torch.float64) + 0.5) / height
    # The first two numbers of a seed are its place.
    draws = torch.stack([_uniform(seed, 4 + 3 * WAVES)[2:, None, None] for seed in seeds])
    right, below = (x - x0) * (width / height), y[:, None] - y0
    return View(right.to(pixels), below.to(pixels), width / height, draws.to(pixels), tuple(seeds))


def _uniform(seed: int, count: int) -> Tensor:
    return torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _to_linear(pixels: Tensor) -> Tensor:
    """Light in [0, 1] from pixels: v^2.2, shifted by a toe so that the slope of the way back is finite at black."""
    return ((pixels.clamp(0, 1) + TOE) ** GAMMA - TOE**GAMMA) / ((1 + TOE) ** GAMMA - TOE**GAMMA)


def _to_display(light: Tensor) -> Tensor:
    """Pixels in [0, 1] from light, the inverse of `_to_linear`; light above 1 is white."""
    scaled = light.clamp(0, 1) * ((1 + TOE) ** GAMMA - TOE**GAMMA) + TOE**GAMMA
    return (scaled ** (1 / GAMMA) - TOE).clamp(0, 1)


def _colour(like: Tensor, red: float, green: float, blue: float) -> Tensor:
    return like.new_tensor([red, green, blue]).view(1, 3, 1, 1)


def _blur(light: Tensor, sigma: float) -> Tensor:
    """Convolve with a Gaussian of `sigma` pixels, first down, then across; the border is repeated outward."""
    radius = math.ceil(3 * sigma)
    taps = torch.arange(-radius, radius + 1, dtype=torch.float64)
    kernel = torch.softmax(-0.5 * (taps / sigma) ** 2, dim=0).to(light).expand(3, 1, -1)
    padded = F.pad(light, (radius, radius, radius, radius), mode="replicate")
    down = F.conv2d(padded, kernel[..., None], groups=3)
    return F.conv2d(down, kernel[:, :, None], groups=3)


def _grain(light: Tensor, view: View) -> Tensor:
    """(M, 3, H, W): standard normal noise of a picture of `GRAIN_ROWS` rows, resampled as that picture would be."""
    shape = (3, GRAIN_ROWS, max(1, round(GRAIN_ROWS * view.aspect)))
    grain = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in view.seeds]
    return F.interpolate(torch.stack(grain).to(light), light.shape[2:], mode="bilinear", antialias=True)


def _find(name: str) -> Weather:
    if name not in WEATHER:
        raise ValueError(f"There is no weather {name!r}; choose one of {', '.join(WEATHER)}.")
    return WEATHER[name]


def _check(pixels: Tensor, strength: float, seed: int | Tensor, place: tuple[float, float] | None) -> None:
    if pixels.ndim != 4 or pixels.shape[1] != 3 or 0 in pixels.shape:
        raise ValueError(f"Weather needs pixels of shape (N, 3, H, W), not {tuple(pixels.shape)}.")
    if pixels.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"Weather needs float32 or float64 pixels in [0, 1], not {pixels.dtype}: convert them first.")
    many = isinstance(seed, Tensor) and seed.shape == pixels.shape[:1] and not seed.is_floating_point()
    if not many and not isinstance(seed, int):
        raise ValueError(f"The seed of a weather is an integer, or a tensor of {len(pixels)} for as many pictures.")
    _check_setting(strength, place)


def _check_setting(strength: float, place: tuple[float, float] | None) -> None:
    if not 0 <= strength <= max(STRENGTHS):
        raise ValueError(f"The strength of a weather is between 0 and {max(STRENGTHS)}, not {strength}.")
    if place is not None and not (len(place) == 2 and all(0 <= fraction <= 1 for fraction in place)):
        raise ValueError(f"A place is (x, y) in [0, 1] of width and height, not {place}.")
