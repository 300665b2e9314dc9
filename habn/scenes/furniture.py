"""Street furniture: lamp posts, bollards, signs, traffic lights, fences and walls."""

from dataclasses import dataclass

import numpy as np

from habn.scenes.canvas import Canvas, Label
from habn.scenes.people import narrow_shadow
from habn.scenes.textures import masonry, with_alpha

STEEL = np.array([0.36, 0.38, 0.38])
RED, BLUE, WHITE = np.array([0.62, 0.07, 0.08]), np.array([0.07, 0.20, 0.52]), np.array([0.82, 0.82, 0.80])
TO_CAMERA = (0.0, 0.0, -1.0)


@dataclass(frozen=True, kw_only=True)
class Pole:
    """A post at (x, z); one with an `arm` (metres, signed) carries a lamp over the road."""

    x: float
    z: float
    height: float
    radius: float
    arm: float
    tone: float

    def paint(self, canvas: Canvas) -> None:
        """A tapered post, lighter on the sun's side, its arm and its lamp."""
        colour = STEEL * self.tone
        toward = np.sign(canvas.light.sun_direction[0]) * self.radius * 0.4
        for shift, wide, shade in ((0.0, 1.0, 0.8), (toward, 0.5, 1.3)):
            foot, top = self.radius * wide, self.radius * wide * 0.7
            x = self.x + shift
            sides = [(x - foot, 0), (x + foot, 0), (x + top, self.height), (x - top, self.height)]
            canvas.face(np.array([(x, y, self.z) for x, y in sides]), colour * shade, TO_CAMERA, Label.POLE)
        if self.arm:
            bow = [(0, self.height - 0.1), (self.arm * 0.2, self.height + 0.25), (self.arm, self.height + 0.35)]
            canvas.line(np.array([(self.x + dx, y, self.z) for dx, y in bow]), self.radius * 1.1, colour, Label.POLE)
            lamp = [(0.7, 0.28), (1.35, 0.33), (1.35, 0.43), (0.7, 0.43)]
            glow = np.array([3.0, 2.4, 1.5]) if canvas.light.lamps else colour
            head = np.array([(self.x + self.arm * part, self.height + dy, self.z) for part, dy in lamp])
            canvas.face(head, glow, TO_CAMERA, Label.POLE)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        return [narrow_shadow(canvas, self.x, self.z, self.height, self.radius)]


Layers = tuple[tuple[float, np.ndarray], ...]
"""Of a sign, the largest first: size and colour."""


@dataclass(frozen=True, kw_only=True)
class Sign:
    """A traffic sign on its own thin pole at (x, z): `kind` is circle, triangle, diamond, blue or board."""

    x: float
    z: float
    height: float
    size: float
    kind: str
    seed: int

    def paint(self, canvas: Canvas) -> None:
        """Pole, plate with border, and something like a symbol on it."""
        rng = np.random.default_rng(self.seed)
        Pole(x=self.x, z=self.z, height=self.height, radius=0.045, arm=0.0, tone=1.0).paint(canvas)
        angles = {
            "triangle": np.pi / 2 + np.arange(3) * 2 * np.pi / 3,
            "diamond": np.arange(4) * np.pi / 2,
        }.get(self.kind, np.linspace(0, 2 * np.pi, 22))
        of_kind: dict[str, Layers] = {
            "triangle": ((1.0, RED), (0.72, WHITE)),
            "diamond": ((1.0, WHITE), (0.78, np.array([0.75, 0.55, 0.08]))),
            "blue": ((1.0, WHITE), (0.92, BLUE)),
            "circle": ((1.0, RED), (0.74, WHITE if rng.random() < 0.6 else RED * 0.9)),
        }
        layers = of_kind.get(self.kind, ())
        shape = np.stack([np.cos(angles), np.sin(angles)], -1)
        if self.kind == "board":
            shape = np.array([(-1.3, -0.8), (1.3, -0.8), (1.3, 0.8), (-1.3, 0.8)])
            ground = np.array([(0.05, 0.30, 0.18), (0.08, 0.18, 0.45), (0.80, 0.80, 0.76)][rng.integers(3)])
            layers = ((1.0, WHITE), (0.94, ground))
        for scale, rgb in layers:
            self._plate(canvas, shape * scale, rgb)
        ink = np.full(3, 0.08) if layers[-1][1].min() > 0.5 or self.kind == "diamond" else WHITE
        for x, y, wide, tall in _lettering(rng) if self.kind == "board" else _symbol(rng):
            self._plate(canvas, np.array([(x, y), (x + wide, y), (x + wide, y + tall), (x, y + tall)]), ink)

    def _plate(self, canvas: Canvas, shape: np.ndarray, rgb: np.ndarray) -> None:
        points = [(self.x + dx * self.size, self.height + dy * self.size, self.z - 0.06) for dx, dy in shape]
        canvas.face(np.array(points), rgb, TO_CAMERA, Label.SIGN)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        return [narrow_shadow(canvas, self.x, self.z, self.height, 0.06)]


def _lettering(rng: np.random.Generator) -> list[tuple[float, float, float, float]]:
    """Three lines of words on a board, as boxes: x, y, width, height."""
    lines = [(-1.0 + 0.26 * letter, 0.35 - 0.45 * line) for line in range(3) for letter in range(rng.integers(3, 8))]
    return [(x, y, float(rng.uniform(0.08, 0.2)), float(rng.uniform(0.16, 0.26))) for x, y in lines]


def _symbol(rng: np.random.Generator) -> list[tuple[float, float, float, float]]:
    """Two boxes that together look like some symbol: x, y, width, height."""
    return [(*rng.uniform([-0.35, -0.3], [0.0, 0.2]), *rng.uniform(0.12, 0.4, 2)) for _ in range(2)]


@dataclass(frozen=True)
class TrafficLight:
    """A traffic light at (x, z) showing lamp `on` (0 red, 1 amber, 2 green)."""

    x: float
    z: float
    on: int

    def paint(self, canvas: Canvas) -> None:
        """Pole, black housing with a pale edge, three lamps."""
        Pole(x=self.x, z=self.z, height=2.5, radius=0.07, arm=0.0, tone=0.45).paint(canvas)
        for half, rgb in ((0.24, np.full(3, 0.3)), (0.21, np.full(3, 0.035))):
            box = [(-half, 2.3), (half, 2.3), (half, 3.35), (-half, 3.35)]
            canvas.face(np.array([(self.x + dx, y, self.z - 0.1) for dx, y in box]), rgb, TO_CAMERA, Label.SIGN)
        angles = np.linspace(0, 2 * np.pi, 14)
        for lamp, rgb in enumerate(np.array([(1.0, 0.12, 0.08), (1.0, 0.6, 0.08), (0.15, 1.0, 0.5)])):
            disc = np.stack(
                [self.x + 0.11 * np.cos(angles), 3.17 - 0.33 * lamp + 0.11 * np.sin(angles), np.full(14, self.z - 0.1)],
                -1,
            )
            colour = canvas.light.through_air(rgb if lamp == self.on else rgb * canvas.light.ambient * 0.12, self.z / 3)
            canvas.polygon(canvas.project(disc), colour, Label.SIGN)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        return [narrow_shadow(canvas, self.x, self.z, 3.3, 0.1)]


@dataclass(frozen=True, kw_only=True)
class Fence:
    """A fence from (x0, z0) to (x1, z1), the near end first: `kind` is railing, mesh or boards."""

    x0: float
    z0: float
    x1: float
    z1: float
    height: float
    kind: str
    colour: np.ndarray

    @property
    def z(self) -> float:
        """Sorting distance, as for a building."""
        return self.z1

    def paint(self, canvas: Canvas) -> None:
        """The panel as a whole, then bars or boards, rails and posts."""
        low = 0.0 if self.kind == "boards" else 0.12
        panel = self._upright(np.array([0, 1, 1, 0]), np.array([low, low, self.height, self.height]))
        if canvas.misses(panel):
            return
        opacity, spacing, half = {
            "boards": (1.0, 0.16, 0.065),
            "mesh": (0.42, 0.5, 0.012),
            "railing": (0.28, 0.14, 0.012),
        }[self.kind]
        canvas.veil(panel, self.colour * 0.8, opacity, Label.FENCE)
        length = float(np.hypot(self.x1 - self.x0, self.z1 - self.z0))
        bars = np.arange(0, min(length, 22 - self.z0), spacing) / length
        posts = np.linspace(0, 1, max(int(length / 2.2), 1) + 1)
        self._strips(canvas, bars, half / length, low, self.height, self.colour * 0.85)
        for y in (low + 0.05, self.height - 0.04):
            self._strips(canvas, np.array([0.5]), 0.5, y - 0.03, y + 0.03, self.colour)
        self._strips(canvas, posts, 0.035 / length, 0.0, self.height + 0.05, self.colour * 0.9)

    def _strips(
        self, canvas: Canvas, middle: np.ndarray, half: float, low: float, high: float, rgb: np.ndarray
    ) -> None:
        """Upright rectangles around the places `middle` (S,), in parts of the fence's length."""
        part = middle[:, None] + np.array([-half, half, half, -half])
        strips = self._upright(part, np.broadcast_to([low, low, high, high], part.shape))
        shades = rgb * (0.85 + 0.3 * (np.arange(len(middle)) * 0.618 % 1))[:, None]
        canvas.faces(strips, shades, TO_CAMERA, Label.FENCE)

    def _upright(self, part: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([self.x0 + part * (self.x1 - self.x0), y, self.z0 + part * (self.z1 - self.z0)], axis=-1)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach; a see-through fence gives that of its upper rail."""
        offset = canvas.light.shadow_of(self.height)
        ends = np.array([(self.x0, 0, self.z0), (self.x1, 0, self.z1)])
        lower = ends if self.kind == "boards" else ends + offset * 0.93
        return [np.array([lower[0], lower[1], ends[1] + offset, ends[0] + offset])]


@dataclass(frozen=True, kw_only=True)
class Wall:
    """A garden wall of bricks along the street at `x`, from z0 to z1; CamVid counts it among the buildings."""

    x: float
    z0: float
    z1: float
    height: float
    colour: np.ndarray

    @property
    def z(self) -> float:
        """Sorting distance, as for a building."""
        return self.z1

    def paint(self, canvas: Canvas) -> None:
        """Courses of bricks under a pale coping."""
        tall, wide = max(int(self.height * 20), 6), int(np.clip((self.z1 - self.z0) * 20, 8, 500))
        rgb = self.colour * masonry(3, 9)[:tall, :wide, None]
        rgb[: max(tall // 10, 1)] = self.colour * 1.4
        light = canvas.light
        facing = max(float(-np.sign(self.x) * light.sun_direction[0]), 0.0)
        lit = light.through_air(
            rgb * (light.ambient * 0.8 + light.sun * facing), np.linspace(self.z0, self.z1, wide)[None, :]
        )
        ends = [(self.height, self.z0), (self.height, self.z1), (0, self.z1), (0, self.z0)]
        solid = np.ones((tall, wide), dtype=bool)
        canvas.picture(with_alpha(lit, solid), np.array([(self.x, y, z) for y, z in ends]), Label.BUILDING)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygon (4, 3) that the sun does not reach."""
        ends, offset = np.array([(self.x, 0, self.z0), (self.x, 0, self.z1)]), canvas.light.shadow_of(self.height)
        return [np.array([ends[0], ends[1], ends[1] + offset, ends[0] + offset])]
