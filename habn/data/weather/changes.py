"""The eight changes of light, each a model of one line in linear light L, with place and draws of a `Placement`.

Lengths are in heights of the picture. What people call them and what they read of them is in the page's words.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from habn.data.weather.placement import Placement

GRAIN_ROWS = 240
HALO_ROWS = 48


@dataclass(frozen=True)
class Weather:
    """A change of light.

    Attributes:
        name: its key in `WEATHER`.
        apply: (light (N, 3, H, W) in [0, 1], strength, placement) -> light (N, 3, H, W), at least 0, in linear light.
        home: left, top, right, bottom of the part of the picture in which the seed places it.
    """

    name: str
    apply: Callable[[Tensor, float, Placement], Tensor]
    home: tuple[float, float, float, float]


WEATHER: dict[str, Weather] = {}
"""Every weather by name, in the order in which tables and the page list them."""


def _placed(home: tuple[float, float, float, float]) -> Callable:
    """Enter a function of (light, strength, placement) into `WEATHER` under its name, with the home of its place."""

    def enter(apply: Callable) -> Callable:
        WEATHER[apply.__name__] = Weather(apply.__name__, apply, home)
        return apply

    return enter


@_placed(home=(0.3, 0.35, 0.7, 0.65))
def shadow_edge(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = L 2^(-0.7 strength k m), m = sigmoid(u / w): one side of a straight edge loses the sun, not the sky.

    u is the distance to the edge, w the half-shadow's width; k is below 1 in blue, the colour of the light left.
    """
    angle, width = 2 * math.pi * placement.draws[:, :1], 0.004 + 0.03 * placement.draws[:, 1:2]
    shade = torch.sigmoid((placement.right * angle.cos() + placement.below * angle.sin()) / width)
    return light * torch.exp2(-0.7 * strength * _colour(light, 1.0, 0.97, 0.88) * shade)


@_placed(home=(0.35, 0.35, 0.65, 0.5))
def haze(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = L t + A (1 - t), t = exp(-beta d), Koschmieder's law, with beta = 0.06 strength^2.

    d is the depth of a street that vanishes at the place: 1 there and in the sky above it, and falling as
    1 / (1 + distance) down the road and toward the walls on both sides.
    """
    depth = 1 / (1 + torch.hypot(placement.below.clamp(min=0) / 0.12, placement.right / 0.6))
    clear = torch.exp(-0.06 * strength**2 * depth)
    return light * clear + _colour(light, 0.62, 0.66, 0.70) * (1 - clear)


@_placed(home=(0.15, 0.1, 0.85, 0.4))
def low_sun(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = L + E / (1 + (r / 0.09)^2): veiling glare, which falls with the square of the angle to its source (CIE).

    E = 0.2 strength^1.7, in the colour of a sun near the horizon; r is the distance to the place.
    """
    glare = 0.2 * strength**1.7 / (1 + (placement.right**2 + placement.below**2) / 0.09**2)
    return light + glare * _colour(light, 1.0, 0.86, 0.62)


@_placed(home=(0.2, 0.35, 0.8, 0.75))
def darkness(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = L 2^(-strength k (1 - p)): the exposure falls by one stop per strength, less in the pool p of a lamp.

    The pool lies at the place; elsewhere p is up to a third, in patches. Red falls most, as at night.
    """
    pool = 0.33 * placement.patches() + 0.65 * placement.bump(0.25)
    return light * torch.exp2(-strength * _colour(light, 1.06, 1.0, 0.9) * (1 - pool))


@_placed(home=(0.4, 0.4, 0.6, 0.6))
def vignette(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = L cos^4(a), tan^2(a) = 0.7 strength r^2: the natural fall-off of a lens with a focal length ever shorter.

    r is the distance to the place, the optical centre, in units of half the diagonal.
    """
    squared = 4 * (placement.right**2 + placement.below**2) / (1 + placement.aspect**2)
    return light / (1 + 0.7 * strength * squared) ** 2


@_placed(home=(0.25, 0.3, 0.75, 0.7))
def contrast_loss(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = (1 - a) L + a (G * L): a smear on the windscreen scatters a share a of the light into a wide halo.

    a is up to 0.18 strength at the place; the halo G is a Gaussian of 0.12 heights, made small since it is smooth.
    """
    small = (HALO_ROWS, max(1, round(HALO_ROWS * placement.aspect)))
    halo = _blur(F.interpolate(light, small, mode="bilinear", antialias=True), 0.12 * HALO_ROWS)
    halo = F.interpolate(halo, light.shape[2:], mode="bilinear", antialias=True)
    share = 0.18 * strength * placement.bump(0.5) * (0.7 + 0.3 * placement.patches())
    return light + share * (halo - light)


@_placed(home=(0.3, 0.5, 0.7, 0.58))
def wet_glare(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = (1 - w R) L + w R S + E: a wet road that narrows toward the place mirrors the sky S and a lamp's streak E.

    R = (1 - cos(i))^5 is Schlick's reflectance, all but total toward the horizon; w is the wetness, in puddles; the
    streak hangs under the place and widens toward the camera, as the highlight of a rough surface does.
    """
    down, puddles = placement.below.clamp(min=0), placement.patches(flatness=5.0)
    road = torch.sigmoid(placement.below / 0.008) * torch.sigmoid(
        (0.1 + 2 * down - placement.right.abs()) / (0.02 + 0.2 * down)
    )
    mirrored = (1 - torch.exp(-0.3 * strength * puddles)) * (1 - down / torch.hypot(down, torch.ones_like(down))) ** 5
    width = 0.04 + 0.3 * down
    streak = (0.3 + 0.7 * puddles) * torch.exp(-0.5 * (placement.right / width) ** 2 - down / 0.4)
    sky, lamp = _colour(light, 0.70, 0.74, 0.80), _colour(light, 1.0, 0.93, 0.8)
    return light + road * (mirrored * (sky - light) + 0.05 * strength**1.7 * streak * lamp)


@_placed(home=(0.25, 0.3, 0.75, 0.7))
def blur_noise(light: Tensor, strength: float, placement: Placement) -> Tensor:
    """L' = G_sigma * L + n sqrt(a L + b): around the place the lens is blurred, the sensor noisy (shot and read noise).

    sigma is up to 0.0025 strength heights; between none, half and all of it the pictures are interpolated. The grain n
    is that of a picture of 240 rows.
    """
    amount, sigma = placement.bump(0.3), 0.0025 * strength * light.shape[2]
    half, full = _blur(light, sigma / 2), _blur(light, sigma)
    blurred = torch.where(amount < 0.5, light + 2 * amount * (half - light), half + (2 * amount - 1) * (full - half))
    noise = _grain(light, placement) * torch.sqrt(blurred + 0.006)
    return blurred + 0.035 * strength * amount * noise


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


def _grain(light: Tensor, placement: Placement) -> Tensor:
    """(M, 3, H, W): standard normal noise of a picture of `GRAIN_ROWS` rows, resampled as that picture would be."""
    shape = (3, GRAIN_ROWS, max(1, round(GRAIN_ROWS * placement.aspect)))
    grain = [torch.randn(shape, generator=torch.Generator().manual_seed(seed)) for seed in placement.seeds]
    return F.interpolate(torch.stack(grain).to(light), light.shape[2:], mode="bilinear", antialias=True)
