"""Where a change of light is, and what its seed draws."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

WAVES = 8


@dataclass(frozen=True, eq=False, kw_only=True)
class Placement:
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


def build_placement(pixels: Tensor, places: Sequence[Sequence[float]], seeds: list[int]) -> Placement:
    """How pixels (N, 3, H, W), lie about M places (x, y) in [0, 1], with as many seeds; of their type and device."""
    height, width = pixels.shape[2:]
    x0, y0 = torch.tensor(places, dtype=torch.float64).view(-1, 2, 1, 1).split(1, dim=1)
    x = (torch.arange(width, dtype=torch.float64) + 0.5) / width
    y = (torch.arange(height, dtype=torch.float64) + 0.5) / height
    draws = torch.stack([uniform(seed, 4 + 3 * WAVES)[2:, None, None] for seed in seeds])
    right, below = (x - x0) * (width / height), y[:, None] - y0
    return Placement(
        right=right.to(pixels),
        below=below.to(pixels),
        aspect=width / height,
        draws=draws.to(pixels),
        seeds=tuple(seeds),
    )


def uniform(seed: int, count: int) -> Tensor:
    """The first numbers that a seed draws, (count,) float64 in [0, 1); the first two are its place."""
    return torch.rand(count, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
