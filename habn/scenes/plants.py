"""Trees and hedges."""

from dataclasses import dataclass

import numpy as np

from habn.scenes.canvas import Canvas, Label
from habn.scenes.textures import foliage, noise, window, with_alpha

LEAVES = np.array(
    [
        (0.20, 0.30, 0.09),
        (0.15, 0.24, 0.08),
        (0.26, 0.32, 0.12),
        (0.12, 0.19, 0.09),
        (0.48, 0.30, 0.08),
        (0.30, 0.26, 0.16),
    ]
)
BARK = np.array([0.19, 0.16, 0.13])


@dataclass(frozen=True, kw_only=True)
class Tree:
    """A tree at (x, z): `leaves` 0 is bare, 1 is dense; a conifer's crown is a cone that begins near the ground."""

    x: float
    z: float
    height: float
    leaves: float
    conifer: bool
    colour: int
    seed: int

    def paint(self, canvas: Canvas) -> None:
        """Trunk and branches, then a crown of leaves with a ragged edge."""
        low, half = self.height * (0.04 if self.conifer else 0.16), self.height * 0.54
        top = self.height * 1.1
        box = [(-half, top), (half, top), (half, low), (-half, low)]
        corners = np.array([(self.x + dx, y, self.z) for dx, y in box])
        if canvas.misses(corners):
            return
        rng = np.random.default_rng(self.seed)
        if self.z < 90:
            self._trunk(canvas, rng)
        side = int(np.clip(3200 * self.height / 8 / max(self.z, 8), 48, 256))
        sun = canvas.light.sun_direction
        bright, solid = foliage(rng, side, self._lobes(rng), (sun[0], -0.35 - 0.5 * sun[1]), self.leaves)
        leaf = LEAVES[self.colour] * rng.uniform(0.8, 1.15, 3) if self.leaves > 0.35 else BARK * 1.3
        light = canvas.light
        lit = leaf * (light.ambient * 0.9 + light.sun * 0.6) * np.maximum(bright, 0.25)[..., None]
        rgba = with_alpha(light.through_air(lit, self.z), solid)
        canvas.picture(rgba, corners, Label.TREE)

    def _lobes(self, rng: np.random.Generator) -> np.ndarray:
        if self.conifer:
            y = np.linspace(0.1, 0.88, 8)
            return np.stack([0.5 + rng.normal(0, 0.02, 8), y, 0.08 + 0.24 * y], axis=-1)
        count = 11 if self.z < 60 else 5
        angle, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0.05, 1, count)) * 0.22
        radius = rng.uniform(0.14, 0.21, count)
        return np.stack([0.5 + reach * np.cos(angle), 0.5 + reach * np.sin(angle), radius], axis=-1)

    def _trunk(self, canvas: Canvas, rng: np.random.Generator) -> None:
        thick = self.height * rng.uniform(0.022, 0.034)
        fork = np.array([self.x + rng.normal(0, 0.1), self.height * rng.uniform(0.28, 0.4), self.z])
        foot = np.array([self.x, 0.0, self.z])
        lit = np.array([thick * 0.35 * np.sign(canvas.light.sun_direction[0]), 0, 0])
        paths, widths = [(foot, fork), (foot + lit, fork + lit)], [2 * thick, thick]
        twigs = [(fork, np.pi / 2 + rng.normal(0, 0.1), self.height * 0.19, thick * 1.3, 0)]
        deepest = (3 if self.leaves > 0.35 else 4) - (self.z > 30) - (self.z > 60)
        while twigs:
            start, angle, length, width, level = twigs.pop()
            tip = start + [length * np.cos(angle), length * np.sin(angle), 0]
            paths.append((start, tip))
            widths.append(width)
            if level < deepest:
                for turn in rng.normal([-0.55, 0.05, 0.55], 0.18)[: 2 + (level < 2)]:
                    twigs.append((tip, angle + turn, length * rng.uniform(0.6, 0.85), width * 0.62, level + 1))
        tone = np.r_[0.9, 1.35, rng.uniform(0.8, 1.1, len(paths) - 2)]
        canvas.lines(np.array(paths), np.array(widths), BARK * tone[:, None], Label.TREE)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygons (K, 3) that the sun does not reach: the trunk's and some of the crown's."""
        rng = np.random.default_rng(self.seed)
        foot, top = np.array([self.x, 0, self.z]), canvas.light.shadow_of(self.height * 0.65)
        wide = np.array([self.height * 0.02, 0, 0])
        shapes = [np.array([foot - wide, foot + wide, foot + wide + top, foot - wide + top])]
        angles = np.linspace(0, 2 * np.pi, 9)[:-1]
        for _ in range(int(14 * max(self.leaves, 0.25))):
            centre = foot + top * rng.uniform(0.7, 1.3) + rng.normal(0, self.height * 0.14, 3)
            size = self.height * rng.uniform(0.04, 0.11)
            shapes.append(
                np.stack([centre[0] + size * np.cos(angles), 0 * angles, centre[2] + size * np.sin(angles)], -1)
            )
        return shapes


@dataclass(frozen=True, kw_only=True)
class Hedge:
    """A hedge along the street at `x`, from z0 to z1."""

    x: float
    z0: float
    z1: float
    height: float
    colour: int
    seed: int

    @property
    def z(self) -> float:
        """Sorting distance, as for a building."""
        return self.z1

    def paint(self, canvas: Canvas) -> None:
        """A wall of leaves with a ragged top."""
        top = self.height * 1.12
        ends = [(top, self.z0), (top, self.z1), (0, self.z1), (0, self.z0)]
        corners = np.array([(self.x, y, z) for y, z in ends])
        if canvas.misses(corners):
            return
        rng = np.random.default_rng(self.seed)
        tall = int(np.clip(900 / max(self.z0, 8), 24, 96))
        wide = int(np.clip(tall * (self.z1 - self.z0) / self.height * 0.6, 24, 320))
        fine, coarse = window(noise(0.6), rng, tall, wide, 1.5), window(noise(1.3), rng, tall, wide, 1.5)
        level = np.linspace(1.12, 0, tall)[:, None]
        facing = max(float(-np.sign(self.x) * canvas.light.sun_direction[0]), 0.0)
        bright = (0.55 + 0.4 * level) * (1 + 0.16 * fine + 0.14 * coarse)
        lit = LEAVES[self.colour] * (canvas.light.ambient * 0.9 + canvas.light.sun * (0.2 + facing)) * bright[..., None]
        distance = np.linspace(self.z0, self.z1, wide)[None, :]
        rgba = with_alpha(canvas.light.through_air(lit, distance), level + 0.05 * coarse + 0.03 * fine < 1)
        canvas.picture(rgba, corners, Label.TREE)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        ends, offset = np.array([(self.x, 0, self.z0), (self.x, 0, self.z1)]), canvas.light.shadow_of(self.height)
        return [np.array([ends[0], ends[1], ends[1] + offset, ends[0] + offset])]
