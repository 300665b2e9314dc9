"""Houses: facades drawn flat in metres, then put up in perspective."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from habn.scenes.canvas import Canvas, Label
from habn.scenes.textures import masonry, noise, window, with_alpha

WALLS = {
    "brick": [(0.44, 0.22, 0.16), (0.50, 0.30, 0.20), (0.62, 0.52, 0.36), (0.36, 0.25, 0.20), (0.55, 0.45, 0.34)],
    "render": [
        (0.80, 0.78, 0.72),
        (0.74, 0.68, 0.54),
        (0.66, 0.70, 0.72),
        (0.72, 0.58, 0.48),
        (0.58, 0.62, 0.54),
        (0.85, 0.84, 0.82),
    ],
    "stone": [(0.52, 0.49, 0.43), (0.60, 0.57, 0.50), (0.40, 0.39, 0.37)],
}
Box = Callable[
    ..., None
]  # box(x, y, across, up, rgb, lit=False): a rectangle on a facade, in metres from its lower left corner
TEXELS_OF_MASONRY = 40  # per metre


@dataclass(frozen=True, kw_only=True)
class Building:
    """A house from `x`, its face on the street, to `x + depth * side`, and from z0 to z1.

    `eaves` is the height of its walls, `ridge` that of its roof above them; the sun shines above `shaded_below`.
    """

    x: float
    side: int
    depth: float
    z0: float
    z1: float
    eaves: float
    ridge: float
    material: str
    seed: int
    shaded_below: float

    @property
    def z(self) -> float:
        """Sorting distance: what stands on the pavement before a facade is nearer than the facade's far end."""
        return self.z1

    def paint(self, canvas: Canvas) -> None:
        """Gable end towards the camera, facade along the street, roof and chimneys."""
        rng = np.random.default_rng(self.seed)
        wall = np.array(WALLS[self.material][rng.integers(len(WALLS[self.material]))]) * rng.uniform(0.8, 1.1)
        back = self.x + self.side * self.depth
        left, right = sorted((self.x, back))
        if 30 < self.z0 < 100:
            gable = [(left, 0), (right, 0), (right, self.eaves), (left, self.eaves)]
            canvas.face(np.array([(x, y, self.z0) for x, y in gable]), wall * 0.9, (0, 0, -1), Label.BUILDING)
        elif self.z0 > 3:
            self._wall(canvas, rng, wall, (left, self.z0), (right, self.z0), (0, 0, -1), shop=False)
        near = max(self.z0 - 0.05, 2.5)
        ends = ((self.x, near), (self.x, self.z1))
        self._wall(
            canvas, rng, wall, *(ends if self.side > 0 else ends[::-1]), (-self.side, 0, 0), shop=rng.random() < 0.45
        )
        if self.ridge > 0:
            self._roof(canvas, rng, wall, left, right)

    def _wall(
        self, canvas: Canvas, rng: np.random.Generator, wall: np.ndarray, a: tuple, b: tuple, normal: tuple, shop: bool
    ) -> None:
        a, b = (b, a) if normal[0] < 0 else (a, b)
        (xa, za), (xb, zb) = a, b
        corners = np.array([(xa, self.eaves, za), (xb, self.eaves, zb), (xb, 0, zb), (xa, 0, za)])
        if canvas.misses(corners):
            return
        width, nearest = float(np.hypot(xb - xa, zb - za)), min(za, zb)
        density = float(np.clip(900 * canvas.camera.focal / max(nearest, 8), 5, 30))
        albedo, lit = draw_facade(rng, wall, self.material, width, self.eaves, density, shop)
        levels = np.linspace(self.eaves, 0, len(albedo), dtype=np.float32)[:, None]
        light = canvas.light
        facing = np.float32(max(np.dot(normal, light.sun_direction), 0)) * (levels > self.shaded_below)
        low = np.clip(0.72 + 0.1 * levels, 0, 1)
        rgb = albedo * (light.ambient * 0.85 * low + light.sun * facing)[:, None, :]
        if light.lamps:
            rgb = np.where(lit[..., None], np.array([0.95, 0.75, 0.42]) * albedo.max(-1, keepdims=True), rgb)
        distance = np.linspace(za, zb, albedo.shape[1])[None, :]
        rgb = light.through_air(rgb, distance)
        canvas.picture(with_alpha(rgb, np.ones(rgb.shape[:2], dtype=bool)), corners, Label.BUILDING)

    def _roof(self, canvas: Canvas, rng: np.random.Generator, wall: np.ndarray, left: float, right: float) -> None:
        middle, top = (left + right) / 2, self.eaves + self.ridge
        tiles = np.array([(0.26, 0.25, 0.27), (0.36, 0.22, 0.17), (0.30, 0.26, 0.23)][rng.integers(3)])
        gable = [(left, self.eaves, self.z0), (right, self.eaves, self.z0), (middle, top, self.z0)]
        canvas.face(np.array(gable), wall * 0.9, (0, 0, -1), Label.BUILDING)
        slope = np.array([-self.side * self.ridge, abs(middle - self.x), 0]) / np.hypot(self.ridge, middle - self.x)
        for start, stop in zip((0, 0.22, 0.45, 0.7), (0.24, 0.47, 0.72, 1), strict=True):
            x0, x1 = self.x + (middle - self.x) * start, self.x + (middle - self.x) * stop
            y0, y1 = self.eaves + self.ridge * start, self.eaves + self.ridge * stop
            course = [(x0, y0, self.z0), (x0, y0, self.z1), (x1, y1, self.z1), (x1, y1, self.z0)]
            canvas.face(np.array(course), tiles * rng.uniform(0.9, 1.1), slope, Label.BUILDING)
        for z in rng.uniform(self.z0, self.z1, rng.integers(1, 3)):
            stack = [
                (middle - 0.5, top - 0.4, z),
                (middle + 0.5, top - 0.4, z),
                (middle + 0.5, top + 1, z),
                (middle - 0.5, top + 1, z),
            ]
            canvas.face(np.array(stack), wall * 0.8, (0, 0, -1), Label.BUILDING)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygons (K, 3) that the sun does not reach."""
        offset = canvas.light.shadow_of(self.eaves + self.ridge / 2)
        back = self.x + self.side * self.depth
        foot = np.array(
            [(self.x, 0, self.z0), (self.x, 0, self.z1), (back, 0, self.z1), (back, 0, self.z0)], dtype=float
        )
        edges = [np.array([p, q, q + offset, p + offset]) for p, q in zip(foot, np.roll(foot, -1, 0), strict=True)]
        return [*edges, foot + offset]


def draw_facade(
    rng: np.random.Generator, wall: np.ndarray, material: str, width: float, height: float, density: float, shop: bool
) -> tuple[np.ndarray, np.ndarray]:
    """A facade of `width` x `height` metres at `density` texels per metre.

    Returns its colours (h, w, 3) in [0, 1] and where its windows are lit after dark (h, w).
    """
    w, h = max(int(width * density), 2), max(int(height * density), 2)
    albedo, lamps = _wall_surface(rng, wall, material, h, w, density), np.zeros((h, w), dtype=bool)

    def box(x: float, y: float, across: float, up: float, rgb: np.ndarray, lit: bool = False) -> None:
        top, left = max(int((height - y - up) * density), 0), max(int(x * density), 0)
        bottom, right = max(int((height - y) * density), top + 1), max(int((x + across) * density), left + 1)
        albedo[top:bottom, left:right] = rgb
        lamps[top:bottom, left:right] = lit

    def copy(source: tuple[float, float], target: tuple[float, float], across: float, up: float) -> None:
        size = int((up + 0.48) * density), int((across + 0.24) * density)
        (y0, x0), (y1, x1) = (
            (max(int((height - y - up - 0.22) * density), 0), max(int((x - 0.12) * density), 0))
            for x, y in (source, target)
        )
        size = min(size[0], h - y0, h - y1), min(size[1], w - x0, w - x1)
        for layer in (albedo, lamps):
            layer[y1 : y1 + size[0], x1 : x1 + size[1]] = layer[y0 : y0 + size[0], x0 : x0 + size[1]]

    drawn: list[tuple[float, float]] = []
    frame = np.array([(0.85, 0.84, 0.80), (0.85, 0.84, 0.80), (0.22, 0.20, 0.19), (0.35, 0.25, 0.18)][rng.integers(4)])
    storey, base = rng.uniform(2.7, 3.4), rng.uniform(3.2, 3.9) if shop else 0.0
    columns = max(int(width / rng.uniform(1.9, 3.2)), 1)
    pitch, wide, high = width / columns, rng.uniform(0.4, 0.62), rng.uniform(0.48, 0.65) * storey
    lintel = wall * rng.choice([0.75, 1.25, 1.4])
    for floor in range(int((height - base - 0.3) / storey)):
        y = base + floor * storey + 0.28 * storey
        for column in range(columns):
            across = wide * pitch
            x = (column + 0.5) * pitch - across / 2
            if floor == 0 and not shop and column == columns // 2:
                _door(rng, box, x, frame)
            elif len(drawn) < 4:
                _window(rng, box, (x, y, across, high), frame, lintel, detailed=density > 12)
                drawn.append((x, y))
            else:
                copy(drawn[rng.integers(4)], (x, y), across, high)
    if shop:
        _shop(rng, box, width, base)
    box(0, height - 0.35, width, 0.35, wall * 1.2)
    box(0, height - 0.47, width, 0.12, wall * 0.6)
    grime = window(noise(1.8), rng, h, w, 30 / density)
    albedo *= (1 + np.float32(0.07) * grime)[..., None]
    return albedo, lamps


def _wall_surface(
    rng: np.random.Generator, wall: np.ndarray, material: str, h: int, w: int, density: float
) -> np.ndarray:
    step = TEXELS_OF_MASONRY / density
    tone = 1 + np.float32(0.05) * window(noise(0.6), rng, h, w, max(step, 1))
    if material != "render":
        bricks = masonry(3, 9) if material == "brick" else masonry(14, 26)
        tone = tone * (1 + (window(bricks, rng, h, w, step) - 1) * np.float32(min(density / 20, 1)))
    return wall.astype(np.float32) * tone[..., None]


def _door(rng: np.random.Generator, box: Box, x: float, frame: np.ndarray) -> None:
    leaf = np.array([(0.10, 0.18, 0.14), (0.30, 0.08, 0.07), (0.08, 0.10, 0.2), (0.7, 0.7, 0.68)][rng.integers(4)])
    box(x, 0, 1.15, 2.4, frame)
    box(x + 0.1, 0, 0.95, 2.25, leaf)
    box(x + 0.3, 1.4, 0.55, 0.6, leaf * 0.6)


def _window(
    rng: np.random.Generator,
    box: Box,
    place: tuple[float, float, float, float],
    frame: np.ndarray,
    lintel: np.ndarray,
    detailed: bool,
) -> None:
    """Lintel, frame, glass with something mirrored in it, curtains, bars and sill; far away the first three do."""
    x, y, across, up = place
    lit = rng.random() < 0.3
    glass = np.array([0.19, 0.22, 0.25]) * rng.uniform(0.5, 1.6)
    box(x - 0.12, y + up, across + 0.24, 0.22, lintel)
    box(x - 0.05, y - 0.05, across + 0.1, up + 0.1, frame)
    box(x + 0.05, y + 0.05, across - 0.1, up - 0.1, glass, lit)
    if not detailed:
        return
    mirrored = rng.uniform(0.15, 0.6)
    box(x + 0.05, y + up * (1 - mirrored), across - 0.1, up * mirrored - 0.06, glass * 1.4 + 0.05, lit)
    if rng.random() < 0.4:
        curtain = np.array([0.55, 0.53, 0.48]) * rng.uniform(0.6, 1.2)
        box(x + 0.05, y + 0.05, across * 0.2, up - 0.1, curtain, lit)
        box(x + across * 0.8 - 0.05, y + 0.05, across * 0.2, up - 0.1, curtain, lit)
    box(x + across / 2 - 0.03, y, 0.06, up, frame)
    box(x, y + up / 2 - 0.03, across, 0.06, frame)
    box(x - 0.1, y - 0.16, across + 0.2, 0.12, lintel)
    box(x - 0.1, y - 0.26, across + 0.2, 0.1, lintel * 0.45)


def _shop(rng: np.random.Generator, box: Box, width: float, base: float) -> None:
    """A shop front: glass with goods behind it, posts, and a coloured fascia with something like letters."""
    colour = rng.uniform(0.1, 0.5) * (0.55 + 0.45 * rng.uniform(-1, 1, 3)) + 0.05
    box(0, 0, width, base - 0.1, colour * 0.7)
    panes = max(int(width / 2.2), 1)
    inside = np.array([0.22, 0.22, 0.21]) * rng.uniform(0.6, 1.5)
    for pane in range(panes):
        x, across, up = pane * width / panes + 0.12, width / panes - 0.24, base - 1.5
        box(x, 0.55, across, up, inside * rng.uniform(0.8, 1.2), rng.random() < 0.7)
        for _ in range(rng.integers(3, 8)):
            goods = inside * rng.uniform(0.5, 2.2) * rng.uniform(0.8, 1.2, 3)
            wide, tall = rng.uniform(0.08, 0.25) * across, rng.uniform(0.1, 0.5) * up
            box(x + rng.uniform(0, 0.98) * (across - wide), 0.55 + rng.uniform(0, 0.6) * (up - tall), wide, tall, goods)
        box(x, 0.55 + up * 0.72, across, up * 0.28, inside * 1.3 + 0.08)
    box(0, base - 0.85, width, 0.7, colour)
    letters = colour + 0.45 if colour.mean() < 0.4 else colour * 0.2
    for x in np.arange(width * 0.25, width * 0.7, 0.3):
        if rng.random() < 0.85:
            box(x, base - 0.66, rng.uniform(0.08, 0.22), rng.uniform(0.22, 0.36), letters)
    box(0, base - 0.95, width, 0.1, colour * 0.3)
