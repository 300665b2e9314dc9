"""The measures that a street is laid out by, and what may stand in it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from habn.scenes.canvas import Canvas, Light

FAR = 125.0  # metres; where the street ends
ROW_OF_HOUSES = 9.0  # metres; how high the other side of the street is taken to be where its shadow climbs a facade


class Thing(Protocol):
    """What stands on the ground: `z` sorts it, `paint` paints it, `shadow` is the ground that it keeps in shade."""

    @property
    def z(self) -> float: ...

    def paint(self, canvas: Canvas) -> None: ...

    def shadow(self, canvas: Canvas) -> list[np.ndarray]: ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A street in metres; pairs are its left and its right side.

    `verge` and `pavement` are widths, `junction` is where a side street begins and ends, `drives` is +1 where traffic
    keeps right, `greenness` in [0, 1] trades houses for trees, `season` is 0 or 1 in summer, 2 in autumn, 3 in winter,
    and below `shade_line` facades lie in the shade of the houses opposite.
    """

    half_road: float
    verge: tuple[float, float]
    pavement: tuple[float, float]
    junction: tuple[float, float] | None
    drives: int
    greenness: float
    season: int
    shade_line: tuple[float, float]

    def kerb(self, side: int) -> float:
        """How far from the road's middle the pavement begins."""
        return self.half_road + self.verge[side]

    def frontage(self, side: int) -> float:
        """How far from the road's middle the pavement ends."""
        return self.kerb(side) + self.pavement[side]


def build_plan(rng: np.random.Generator, light: Light) -> Plan:
    """Choose the street's measures."""
    half_road = float(rng.uniform(3.4, 6.2))
    verge = [float(rng.uniform(0.8, 2.5)) if rng.random() < 0.2 else 0.0 for _ in range(2)]
    pavement = rng.uniform(1.6, 4.0, 2).tolist()
    start = float(rng.uniform(16, 45))
    sun_x, sun_up, _ = light.sun_direction
    climb = (2 * half_road + sum(verge) + sum(pavement)) * sun_up / max(abs(sun_x), 1e-3)
    line = max(ROW_OF_HOUSES - float(climb), 0.0)
    return Plan(
        half_road=half_road,
        verge=(verge[0], verge[1]),
        pavement=(pavement[0], pavement[1]),
        junction=(start, start + float(rng.uniform(6, 9))) if rng.random() < 0.45 else None,
        drives=int(rng.choice([-1, 1])),
        greenness=float(rng.beta(1.2, 1.8)),
        season=int(rng.integers(4)),
        shade_line=(line, 0.0) if sun_x > 0 else (0.0, line),
    )


def draw_seed(rng: np.random.Generator) -> int:
    """A seed for a thing's own details."""
    return int(rng.integers(2**31))
