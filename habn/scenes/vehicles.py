"""Cars, vans and buses: lofts of rounded outlines, so that they can be seen from any side."""

from dataclasses import dataclass

import numpy as np

from habn.scenes.canvas import Canvas, Label

# Rings from sill to roof: height, front end, rear end, half width (metres), and what lies above each ring.
BODIES = {
    "hatchback": [
        (0.18, 1.88, -1.88, 0.76, "sill"),
        (0.34, 1.96, -1.94, 0.84, "paint"),
        (0.58, 1.98, -1.96, 0.86, "lamps"),
        (0.78, 1.86, -1.94, 0.86, "paint"),
        (0.94, 0.98, -1.90, 0.82, "glass"),
        (1.36, 0.22, -1.50, 0.64, "paint"),
        (1.44, 0.02, -1.28, 0.54, "roof"),
    ],
    "saloon": [
        (0.18, 2.15, -2.15, 0.78, "sill"),
        (0.34, 2.24, -2.22, 0.86, "paint"),
        (0.60, 2.26, -2.24, 0.88, "lamps"),
        (0.78, 2.12, -2.20, 0.87, "paint"),
        (0.92, 1.05, -1.55, 0.82, "glass"),
        (1.34, 0.25, -0.85, 0.62, "paint"),
        (1.41, 0.05, -0.65, 0.52, "roof"),
    ],
    "suv": [
        (0.28, 2.10, -2.10, 0.82, "sill"),
        (0.46, 2.18, -2.16, 0.90, "paint"),
        (0.74, 2.18, -2.18, 0.92, "lamps"),
        (0.98, 2.02, -2.16, 0.92, "paint"),
        (1.12, 1.05, -2.10, 0.88, "glass"),
        (1.60, 0.45, -1.80, 0.74, "paint"),
        (1.70, 0.20, -1.60, 0.64, "roof"),
    ],
    "van": [
        (0.24, 2.45, -2.50, 0.88, "sill"),
        (0.44, 2.52, -2.52, 0.94, "paint"),
        (0.74, 2.50, -2.52, 0.96, "lamps"),
        (1.02, 2.36, -2.52, 0.96, "paint"),
        (1.22, 1.75, -2.52, 0.94, "cab glass"),
        (1.82, 1.20, -2.50, 0.88, "paint"),
        (2.12, 0.80, -2.42, 0.80, "roof"),
    ],
    "bus": [
        (0.30, 5.10, -5.10, 1.20, "sill"),
        (0.60, 5.15, -5.15, 1.25, "lamps"),
        (0.95, 5.15, -5.15, 1.25, "paint"),
        (1.30, 5.12, -5.15, 1.25, "glass"),
        (2.30, 5.02, -5.12, 1.24, "paint"),
        (2.85, 4.90, -5.05, 1.20, "roof"),
    ],
}
PAINTS = np.array(
    [
        (0.62, 0.63, 0.65),
        (0.42, 0.43, 0.45),
        (0.08, 0.08, 0.09),
        (0.10, 0.12, 0.16),
        (0.80, 0.80, 0.80),
        (0.10, 0.16, 0.34),
        (0.42, 0.06, 0.07),
        (0.06, 0.18, 0.14),
        (0.50, 0.46, 0.36),
        (0.22, 0.34, 0.50),
    ]
)


@dataclass(frozen=True, kw_only=True)
class Vehicle:
    """A vehicle whose middle stands at (x, z); `heading` 0 drives away from the camera, pi towards it."""

    x: float
    z: float
    heading: float
    body: str
    paint_index: int
    seed: int

    def to_world(self, local: np.ndarray) -> np.ndarray:
        """Points (..., 3) given as forward, up, right of the vehicle."""
        forward, up, right = np.moveaxis(local, -1, 0)
        cos, sin = np.cos(self.heading), np.sin(self.heading)
        return np.stack([self.x + forward * sin + right * cos, up, self.z + forward * cos - right * sin], axis=-1)

    def paint(self, canvas: Canvas) -> None:
        """Wheels, then the body ring by ring from the sill to the roof, then plates and lamps."""
        rings = BODIES[self.body]
        segments = 24 if self.z < 40 else 12
        angles = (np.arange(segments) + 0.5) * 2 * np.pi / segments
        placed = self.to_world(np.array([_rounded(ring, angles) for ring in rings]))
        if canvas.misses(placed):
            return
        colour = PAINTS[self.paint_index] * np.random.default_rng(self.seed).uniform(0.8, 1.15)
        self._wheels(canvas, rings, hubs=False)
        seen = canvas.project(placed)
        following = np.roll(np.arange(segments), -1)
        quads = np.stack([placed[:-1], placed[:-1, following], placed[1:, following], placed[1:]], axis=2)
        flat = np.stack([seen[:-1], seen[:-1, following], seen[1:, following], seen[1:]], axis=2)
        normals, shown = _normals(quads), _turned_to_camera(flat)
        for band, (*_, what) in enumerate(rings[:-1]):
            rgb = self._colours(canvas, what, colour, angles + np.pi / segments, normals[band])
            for quad, tone in zip(flat[band][shown[band]], rgb[shown[band]], strict=True):
                canvas.polygon(quad, tone, Label.CAR)
        if rings[-1][0] < canvas.camera.height:
            canvas.face(placed[-1], colour, (0, 1, 0), Label.CAR)
        if self.z < 60:
            self._wheels(canvas, rings, hubs=True)
            self._plates(canvas, rings)

    def _colours(
        self, canvas: Canvas, what: str, colour: np.ndarray, angles: np.ndarray, normals: np.ndarray
    ) -> np.ndarray:
        """The colour (segments, 3) of one band of the body, lit, with sky or street mirrored in it."""
        light = canvas.light
        ends = np.abs(np.cos(angles)) ** 0.35
        corner = (ends > 0.72) & (ends < 0.93)
        albedo = np.repeat(colour[None], len(angles), axis=0)
        gloss = np.full((len(angles), 1), 0.18)
        if what == "sill":
            albedo = albedo * 0.35
        if what == "glass" or what == "cab glass":
            windows = (np.cos(angles) > -0.2) if what == "cab glass" else np.ones(len(angles), dtype=bool)
            pane = windows & ~corner
            albedo[pane], gloss[pane] = (0.05, 0.06, 0.07), 0.30
        mirrored = np.where(normals[:, 1:2] > 0.12, light.zenith * 0.5 + light.haze * 0.5, light.ambient * 0.3)
        rgb = light.shade(albedo, normals) + gloss * mirrored * (0.5 + np.maximum(normals[:, 1:2], 0))
        if what == "lamps":
            headlamp, tail = corner & (np.cos(angles) > 0), corner & (np.cos(angles) < 0)
            glow = 1.0 if light.lamps else 0.0
            rgb[headlamp] = np.maximum(
                light.shade(np.array([0.75, 0.76, 0.78]), normals[headlamp]), glow * np.array([1, 0.97, 0.85])
            )
            rgb[tail] = np.maximum(
                light.shade(np.array([0.55, 0.05, 0.05]), normals[tail]), glow * np.array([0.9, 0.12, 0.08])
            )
        return light.through_air(rgb, self.z)

    def _wheels(self, canvas: Canvas, rings: list, hubs: bool) -> None:
        radius = 0.48 if self.body == "bus" else 0.31
        angles = np.linspace(0, 2 * np.pi, 18)
        axles = (rings[1][1] - 0.75 * radius / 0.31, rings[1][2] + 0.72 * radius / 0.31)
        outer = rings[1][3] + 0.005
        for side in (-1, 1):
            face = self.to_world(
                np.array([[axles[0], 0, side], [axles[1], 0, side], [0, 0, 0]], dtype=float) * [1, 1, outer]
            )
            if hubs and not self._side_is_seen(canvas, side):
                continue
            for axle in range(2):
                for right, size, tone in _wheel_discs(outer, radius, hubs):
                    disc = np.stack(
                        [
                            axles[axle] + size * np.cos(angles),
                            radius + size * np.sin(angles),
                            np.full(18, side * right),
                        ],
                        -1,
                    )
                    rgb = canvas.light.through_air(canvas.light.ambient * tone, face[axle, 2])
                    canvas.polygon(canvas.project(self.to_world(disc)), rgb, Label.CAR)

    def _side_is_seen(self, canvas: Canvas, side: int) -> bool:
        disc = np.array([(0, 0, side), (1, 0, side), (1, 1, side)], dtype=float)
        a, b, c = canvas.project(self.to_world(disc))
        (ux, uy), (vx, vy) = b - a, c - a
        return (ux * vy - uy * vx) * side < 0

    def _plates(self, canvas: Canvas, rings: list) -> None:
        for way, rgb in ((1, (0.8, 0.8, 0.78)), (-1, (0.75, 0.6, 0.15))):
            end = rings[2][1] + 0.02 if way > 0 else rings[2][2] - 0.02
            y = rings[1][0] + 0.02
            plate = np.array([(end, y, -0.26), (end, y, 0.26), (end, y + 0.12, 0.26), (end, y + 0.12, -0.26)])
            flat = canvas.project(self.to_world(plate))[::way]
            if _turned_to_camera(flat[None])[0]:
                colour = canvas.light.through_air(canvas.light.shade(np.array(rgb), np.array([0.0, 0, -0.6])), self.z)
                canvas.polygon(flat, colour, Label.CAR)

    def shadow(self, canvas: Canvas) -> list[np.ndarray]:
        """The ground polygons (K, 3) that the sun does not reach."""
        top = BODIES[self.body][-2]
        foot, offset = self.footprint(0.0), canvas.light.shadow_of(top[0])
        edges = [
            np.array([p, q, q + offset * 0.9, p + offset * 0.9])
            for p, q in zip(foot, np.roll(foot, -1, 0), strict=True)
        ]
        return [*edges, foot + offset * 0.9]

    def footprint(self, margin: float) -> np.ndarray:
        """The four corners (4, 3) on the ground, `margin` metres wider than the body."""
        _, front, rear, half, _ = BODIES[self.body][1]
        front, rear, half = front + margin, rear - margin, half + margin
        return self.to_world(np.array([(front, 0, -half), (front, 0, half), (rear, 0, half), (rear, 0, -half)]))


def _wheel_discs(outer: float, radius: float, hubs: bool) -> list[tuple[float, float, float]]:
    if hubs:
        return [
            (outer, radius + 0.06, 0.05),
            (outer + 0.01, radius, 0.10),
            (outer + 0.02, radius * 0.62, 0.55),
            (outer + 0.02, radius * 0.2, 0.25),
        ]
    return [(outer - inset, radius, 0.07) for inset in (0.2, 0.13, 0.07, 0.02)]


def _rounded(ring: tuple, angles: np.ndarray) -> np.ndarray:
    """A superellipse (segments, 3) through a ring's ends and sides: forward, up, right."""
    up, front, rear, half, _ = ring
    cos, sin = np.cos(angles), np.sin(angles)
    forward = (front + rear) / 2 + (front - rear) / 2 * np.sign(cos) * np.abs(cos) ** 0.35
    return np.stack([forward, np.full_like(angles, up), half * np.sign(sin) * np.abs(sin) ** 0.35], axis=-1)


def _normals(quads: np.ndarray) -> np.ndarray:
    normal = np.cross(quads[..., 3, :] - quads[..., 0, :], quads[..., 1, :] - quads[..., 0, :])
    return normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)


def _turned_to_camera(flat: np.ndarray) -> np.ndarray:
    x, y = flat[..., 0], flat[..., 1]
    return (x * np.roll(y, -1, -1) - y * np.roll(x, -1, -1)).sum(-1) > 0
