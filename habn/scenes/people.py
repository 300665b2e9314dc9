"""Walkers and cyclists, drawn as tapered limbs on a plane that faces the camera."""

import math
from dataclasses import dataclass

import numpy as np

from habn.scenes.canvas import Canvas, Label

CLOTHES = np.array(
    [
        (0.07, 0.07, 0.08),
        (0.10, 0.12, 0.20),
        (0.20, 0.19, 0.18),
        (0.34, 0.30, 0.24),
        (0.45, 0.09, 0.09),
        (0.62, 0.62, 0.60),
        (0.16, 0.24, 0.40),
        (0.16, 0.22, 0.16),
        (0.70, 0.62, 0.12),
        (0.50, 0.32, 0.42),
    ]
)
SKIN = np.array([(0.62, 0.45, 0.36), (0.48, 0.33, 0.25), (0.28, 0.19, 0.14)])
HAIR = np.array([(0.10, 0.08, 0.06), (0.25, 0.17, 0.10), (0.45, 0.36, 0.22), (0.42, 0.41, 0.40)])


@dataclass(frozen=True, kw_only=True)
class Person:
    """A walker at (x, z); `stride` in [-1, 1] spreads the legs, `aside` in [0, 1] turns from a front to a side view."""

    x: float
    z: float
    height: float
    stride: float
    aside: float
    seed: int

    def paint(self, canvas: Canvas) -> None:
        """Far leg and arm, body and head, near leg and arm."""
        rng = np.random.default_rng(self.seed)
        coat, trousers = CLOTHES[rng.integers(10)], CLOTHES[rng.integers(8)]
        skin, hair = SKIN[rng.integers(3)], HAIR[rng.integers(4)]
        step, apart = 0.16 * self.stride * self.aside, 0.045 * (1 - 0.6 * self.aside)
        shoulder, coat_end = 0.115 - 0.045 * self.aside, rng.choice([0.47, 0.40, 0.30])
        limbs = []
        for sign, dark in ((-1, 0.75), (1, 1.0)):
            hip, foot, lift = sign * apart, sign * (apart + step), 0.02 * (sign > 0) * abs(self.stride)
            knee = (hip + foot) / 2 + 0.03 * self.aside
            limbs += [
                (hip, 0.48, 0.052, knee, 0.27, 0.040, trousers * dark),
                (knee, 0.27, 0.040, foot, 0.04 + lift, 0.026, trousers * dark),
            ]
            limbs += [
                (
                    foot - 0.01,
                    0.018 + lift,
                    0.018,
                    foot + 0.05 * self.aside + 0.01,
                    0.018 + lift,
                    0.018,
                    0.06 * np.ones(3),
                )
            ]
            hand = sign * (shoulder + 0.03 - 1.2 * step)
            arm = [(sign * shoulder, 0.79, 0.034, (sign * shoulder + hand) / 2, 0.63, 0.030, coat * 0.85 * dark)]
            arm += [
                ((sign * shoulder + hand) / 2, 0.63, 0.029, hand, 0.49, 0.022, coat * 0.85 * dark),
                (hand, 0.47, 0.018, hand, 0.46, 0.018, skin),
            ]
            limbs += arm
        wide = 0.085 - 0.02 * self.aside
        body = [
            (0, coat_end + wide * 0.8, wide * 0.92, 0, 0.76, wide * 1.02, coat),
            (-shoulder * 0.65, 0.795, 0.032, shoulder * 0.65, 0.795, 0.032, coat),
        ]
        head = [
            (0, 0.84, 0.026, 0, 0.87, 0.026, skin * 0.8),
            (0, 0.905, 0.046, 0, 0.935, 0.046, skin),
            (0, 0.925, 0.048, 0, 0.955, 0.045, hair),
        ]
        bag = (
            [(shoulder + 0.03, 0.42, 0.04, shoulder + 0.03, 0.36, 0.05, CLOTHES[rng.integers(10)])]
            if rng.random() < 0.35
            else []
        )
        order = limbs[:6] + body + head + limbs[6:] + bag
        paint_limbs(canvas, self.x, self.z, self.height, order, Label.PEDESTRIAN)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        return [narrow_shadow(canvas, self.x, self.z, self.height, 0.2)]


@dataclass(frozen=True)
class Cyclist:
    """A person on a bicycle at (x, z); `aside` is 1 riding to the right, -1 to the left, near 0 from behind."""

    x: float
    z: float
    aside: float
    seed: int

    def paint(self, canvas: Canvas) -> None:
        """The bicycle, then its rider."""
        rng = np.random.default_rng(self.seed)
        a, breadth = self.aside, 1 - abs(self.aside)
        self._bicycle(canvas, CLOTHES[rng.integers(10)] + 0.1)
        coat, trousers = CLOTHES[rng.integers(10)], CLOTHES[rng.integers(8)]
        skin, hair = SKIN[rng.integers(3)], HAIR[rng.integers(4)]
        hips, chest = (-0.22 * a, 0.98), (0.12 * a, 1.42)
        limbs = []
        for sign, pedal, dark in ((-1, 0.32, 0.75), (1, 0.5, 1.0)):
            out = sign * 0.11 * breadth
            knee, foot = (0.16 * a + out * 1.5, pedal + 0.42), (0.04 * a + out, pedal - 0.12)
            limbs += [
                (hips[0] + out, 0.95, 0.095, *knee, 0.07, trousers * dark),
                (*knee, 0.07, *foot, 0.045, trousers * dark),
            ]
            limbs += [(foot[0], foot[1] - 0.03, 0.04, foot[0] + 0.12 * a, foot[1] - 0.03, 0.035, 0.07 * np.ones(3))]
            elbow, hand = (0.26 * a + out * 2.6, 1.18), (0.42 * a + out * 2.2, 1.05)
            limbs += [
                (chest[0] + out * 1.8, chest[1] - 0.02, 0.06, *elbow, 0.05, coat * dark * 0.9),
                (*elbow, 0.05, *hand, 0.04, coat * dark * 0.9),
            ]
        wide = 0.15 + 0.05 * breadth
        body = [(hips[0], hips[1] + 0.04, wide * 0.85, chest[0], chest[1] - 0.1, wide, coat)]
        helmet = (
            np.array([(0.75, 0.75, 0.72), (0.5, 0.1, 0.1), (0.1, 0.1, 0.12)][rng.integers(3)])
            if rng.random() < 0.5
            else hair
        )
        face = (chest[0] + 0.10 * a, 1.60)
        head = [
            (*chest, 0.05, *face, 0.05, skin * 0.8),
            (face[0], 1.61, 0.085, face[0], 1.65, 0.085, skin),
            (face[0], 1.66, 0.09, face[0], 1.70, 0.085, helmet),
        ]
        paint_limbs(canvas, self.x, self.z, 1.0, limbs[:5] + body + head + limbs[5:], Label.BICYCLIST)

    def _bicycle(self, canvas: Canvas, frame: np.ndarray) -> None:
        def at(*points: tuple[float, float]) -> np.ndarray:
            return np.array([(self.x + self.aside * dx, y, self.z) for dx, y in points])

        angles = np.linspace(0, 2 * np.pi, 20)
        for hub in (-0.52, 0.52):
            rim = [(hub + 0.33 * np.cos(t), 0.34 + 0.33 * np.sin(t)) for t in angles]
            canvas.line(at(*rim), 0.05, np.full(3, 0.06), Label.BICYCLIST)
            canvas.line(at((hub, 0.01), (hub, 0.67)), 0.02, np.full(3, 0.3), Label.BICYCLIST)
        canvas.line(
            at((-0.52, 0.34), (-0.18, 0.88), (0.38, 0.84), (0.02, 0.32), (-0.52, 0.34)), 0.045, frame, Label.BICYCLIST
        )
        canvas.line(at((-0.22, 0.95), (0.02, 0.32)), 0.045, frame, Label.BICYCLIST)
        canvas.line(at((0.52, 0.34), (0.36, 0.98), (0.46, 1.04)), 0.045, frame, Label.BICYCLIST)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        return [narrow_shadow(canvas, self.x, self.z, 1.7, 0.25 + 0.5 * abs(self.aside))]


def narrow_shadow(canvas: Canvas, x: float, z: float, height: float, half: float) -> np.ndarray:
    """The shadow (4, 3) on the ground of something upright at (x, z), `half` metres wide to each side."""
    foot, offset, wide = np.array([x, 0, z]), canvas.light.shadow_of(height), np.array([half, 0, 0])
    return np.array([foot - wide, foot + wide, foot + wide * 0.7 + offset, foot - wide * 0.7 + offset])


def paint_limbs(canvas: Canvas, x: float, z: float, size: float, limbs: list[tuple], label: Label) -> None:
    """Paint limbs (x0, y0, radius0, x1, y1, radius1, rgb) in parts of `size`, far ones first."""
    light = canvas.light
    toward = 0.35 * np.sign(light.sun_direction[0])
    shapes = [_capsule(limb[:6], shift, slim) for limb in limbs for shift, slim in ((0.0, 1.0), (toward, 0.62))]
    flat = np.array(shapes) * size
    points = np.stack([x + flat[..., 0], flat[..., 1], np.full(flat.shape[:2], z)], axis=-1)
    rgb = np.array([limb[6] for limb in limbs])
    tones = np.stack([light.ambient * rgb * 0.8, (light.ambient * 1.05 + light.sun * 0.6) * rgb + 0.01], axis=1)
    for outline, tone in zip(canvas.project(points), light.through_air(tones, z).reshape(-1, 3), strict=True):
        canvas.polygon(outline, tone, label)


def _capsule(ends: tuple, shift: float, slim: float) -> list[tuple[float, float]]:
    """Twelve points around two discs and what lies between, moved sideways by `shift` radii and made `slim`."""
    x0, y0, r0, x1, y1, r1 = ends
    along = math.atan2(y1 - y0, x1 - x0)
    arc = [along + math.pi / 2 + math.pi / 5 * step for step in range(6)]
    first = [(x0 + r0 * (shift + slim * math.cos(t)), y0 + r0 * slim * math.sin(t)) for t in arc]
    return first + [(x1 + r1 * (shift - slim * math.cos(t)), y1 - r1 * slim * math.sin(t)) for t in arc]
