"""What a street scene is painted on: a picture and its labels, seen by one camera and lit by one light.

World coordinates are metres along the road: x to the right of the road's centre line, y up from the asphalt, z forward
from the camera.
"""

import math
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from PIL import Image, ImageDraw

SOLID = [0] * 128 + [255] * 128  # from alpha to mask
NEAR = 1.0  # metres; nothing closer to the lens is painted


class Label(IntEnum):
    """CamVid's 11 classes, in CamVid's order."""

    SKY = 0
    BUILDING = 1
    POLE = 2
    ROAD = 3
    PAVEMENT = 4
    TREE = 5
    SIGN = 6
    FENCE = 7
    CAR = 8
    PEDESTRIAN = 9
    BICYCLIST = 10


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A dash camera; `focal` is in picture widths, `horizon` in picture heights from the top.

    `bend` is the curvature (1/m) of the road before it.
    """

    focal: float
    horizon: float
    x: float
    height: float
    yaw: float
    bend: float


@dataclass(frozen=True, kw_only=True)
class Light:
    """Sun, sky and air. Colours are RGB in [0, 1]; `sun_direction` points to the sun; `visibility` is in metres."""

    sun_direction: np.ndarray
    sun: np.ndarray
    ambient: np.ndarray
    haze: np.ndarray
    zenith: np.ndarray
    visibility: float
    clouds: float
    wetness: float
    lamps: bool
    exposure: float
    noise: float

    def shade(self, rgb: np.ndarray, normal: np.ndarray) -> np.ndarray:
        """Light that surfaces of colour `rgb` (..., 3) with normals `normal` (..., 3) send out."""
        facing = np.maximum(normal @ self.sun_direction, 0)[..., None]
        open_sky = 0.8 + 0.2 * normal[..., 1:2]
        return rgb * (self.ambient * open_sky + self.sun * facing)

    def through_air(self, rgb: np.ndarray, distance: np.ndarray | float) -> np.ndarray:
        """`rgb` (..., 3) as seen through `distance` (...) metres of haze."""
        clear = np.exp(np.asarray(distance, dtype=np.float32) / np.float32(-self.visibility))[..., None]
        return rgb * clear + self.haze * (1 - clear)

    def shadow_of(self, height: float) -> np.ndarray:
        """Where on the ground, relative to its foot, the shadow of a point `height` metres up falls: (x, 0, z)."""
        offset = -self.sun_direction / max(self.sun_direction[1], 0.2) * height
        offset[1] = 0
        return offset


class Canvas:
    """Picture and labels at twice the wanted resolution, always painted together.

    Output pixel i is painted pixel 2 i + 1: there the label is read and the filter that halves the picture is centred.
    """

    def __init__(self, camera: Camera, light: Light, height: int, width: int) -> None:
        self.camera, self.light = camera, light
        self.height, self.width = height, width
        self.size = (2 * width + 1, 2 * height + 1)
        self.scale = 2 * width * camera.focal
        self.horizon = 2 * height * camera.horizon
        self.image = Image.new("RGB", self.size)
        self.labels = Image.new("L", self.size)
        self._image_draw = ImageDraw.Draw(self.image)
        self._labels_draw = ImageDraw.Draw(self.labels)

    def to_camera(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) as the camera has them: right, up, forward."""
        points = np.asarray(points, dtype=np.float64)
        x, z = points[..., 0], points[..., 2]
        x = x + self.camera.bend / 2 * z * np.abs(z) - self.camera.x
        cos, sin = math.cos(self.camera.yaw), math.sin(self.camera.yaw)
        seen = np.empty_like(points)
        seen[..., 0] = x * cos - z * sin
        seen[..., 1] = points[..., 1] - self.camera.height
        seen[..., 2] = x * sin + z * cos
        return seen

    def to_canvas(self, seen: np.ndarray) -> np.ndarray:
        """Camera points (..., 3) as columns and rows of the canvas (..., 2)."""
        flat = seen[..., :2] * (self.scale / np.maximum(seen[..., 2:], NEAR))
        flat[..., 0] += self.width
        flat[..., 1] = self.horizon - flat[..., 1]
        return flat

    def project(self, points: np.ndarray) -> np.ndarray:
        """World points (..., 3) as columns and rows of the canvas (..., 2)."""
        return self.to_canvas(self.to_camera(points))

    def misses(self, points: np.ndarray) -> bool:
        """Whether world points (..., 3) and all between them lie outside the picture."""
        flat = self.project(points).reshape(-1, 2)
        (left, top), (right, bottom) = flat.min(0), flat.max(0)
        return bool(right < 0 or bottom < 0 or left > self.size[0] or top > self.size[1])

    def outline(self, points: np.ndarray) -> np.ndarray:
        """A world polygon (K, 3), cut at the lens, as columns and rows (K', 2); K' is 0 where all of it lies behind."""
        seen = self.to_camera(points)
        inside = seen[:, 2] >= NEAR
        if inside.all():
            return self.to_canvas(seen)
        kept = []
        for here, there, is_in, next_in in zip(seen, np.roll(seen, -1, 0), inside, np.roll(inside, -1), strict=True):
            if is_in:
                kept.append(here)
            if is_in != next_in:
                kept.append(here + (there - here) * (NEAR - here[2]) / (there[2] - here[2]))
        return self.to_canvas(np.array(kept).reshape(-1, 3))

    def polygon(self, outline: np.ndarray, rgb: np.ndarray, label: Label) -> None:
        """Fill a canvas polygon (K, 2) with the final colour `rgb` in [0, 1]."""
        if len(outline) < 3:
            return
        corners = outline.ravel().tolist()
        self._image_draw.polygon(corners, fill=_bytes(rgb))
        self._labels_draw.polygon(corners, fill=int(label))

    def face(self, points: np.ndarray, rgb: np.ndarray, normal: tuple[float, float, float], label: Label) -> None:
        """Fill a flat world polygon (K, 3) of colour `rgb`, lit and seen through the air."""
        points = np.asarray(points, dtype=np.float64)
        lit = self.light.shade(np.asarray(rgb), np.asarray(normal, dtype=np.float64))
        self.polygon(self.outline(points), self.light.through_air(lit, points[:, 2].mean()), label)

    def faces(self, points: np.ndarray, rgb: np.ndarray, normal: tuple[float, float, float], label: Label) -> None:
        """Fill parallel world polygons (F, K, 3) of colours `rgb` (F, 3), all of them in front of the lens."""
        lit = self.light.shade(rgb, np.array(normal))
        for outline, colour in zip(
            self.project(points), self.light.through_air(lit, points[..., 2].mean(-1)), strict=True
        ):
            self.polygon(outline, colour, label)

    def lines(self, points: np.ndarray, widths: np.ndarray, rgb: np.ndarray, label: Label) -> None:
        """Draw world polylines (L, K, 3), `widths` (L,) metres thick, of colours `rgb` (L, 3), as far as the first."""
        depth = max(float(points[0, 0, 2]), NEAR)
        colours = self.light.through_air(self.light.shade(rgb, np.array([0.0, 0.3, -0.6])), depth)
        for corners, width, colour in zip(self.project(points), widths, colours, strict=True):
            path, thickness = corners.ravel().tolist(), max(1, round(width * self.scale / depth))
            joint = "curve" if thickness > 2 else None
            self._image_draw.line(path, fill=_bytes(colour), width=thickness, joint=joint)
            self._labels_draw.line(path, fill=int(label), width=thickness, joint=joint)

    def line(self, points: np.ndarray, width: float, rgb: np.ndarray, label: Label) -> None:
        """Draw one world polyline (K, 3)."""
        self.lines(np.asarray(points)[None], np.array([width]), np.asarray(rgb)[None], label)

    def veil(self, points: np.ndarray, rgb: np.ndarray, opacity: float, label: Label) -> None:
        """Lay a see-through world polygon over the picture; the labels take it whole, as CamVid's do with railings."""
        outline = self.outline(points)
        if len(outline) < 3:
            return
        left, top = np.maximum(np.floor(outline.min(0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(outline.max(0)) + 1, self.size).astype(int)
        if right <= left or bottom <= top:
            return
        mask = Image.new("L", (right - left, bottom - top))
        ImageDraw.Draw(mask).polygon((outline - [left, top]).ravel().tolist(), fill=round(255 * opacity))
        colour = self.light.through_air(
            self.light.shade(np.asarray(rgb), np.array([0.0, 0.0, -1.0])), points[:, 2].mean()
        )
        self.image.paste(_bytes(colour), (left, top), mask)
        self._labels_draw.polygon(outline.ravel().tolist(), fill=int(label))

    def picture(self, rgba: np.ndarray, corners: np.ndarray, label: Label) -> None:
        """Put up a picture (h, w, 4) uint8 in perspective; where its alpha is under one half nothing is painted.

        `corners` (4, 3) are the world places of its top left, top right, bottom right and bottom left, before the lens.
        """
        quad = self.project(corners)
        left, top = np.maximum(np.floor(quad.min(0)), 0).astype(int)
        right, bottom = np.minimum(np.ceil(quad.max(0)) + 1, self.size).astype(int)
        if right <= left or bottom <= top:
            return
        height, width = rgba.shape[:2]
        source = np.array([[0, 0], [width, 0], [width, height], [0, height]], dtype=np.float64)
        coefficients = _homography(quad + 0.5 - [left, top], source)
        size = (int(right - left), int(bottom - top))
        warped = Image.fromarray(rgba).transform(
            size, Image.Transform.PERSPECTIVE, coefficients, Image.Resampling.BILINEAR
        )
        mask = warped.getchannel("A").point(SOLID)
        self.image.paste(warped.convert("RGB"), (int(left), int(top)), mask)
        self.labels.paste(int(label), (int(left), int(top)), mask)

    def rows(self, first: int, rgb: np.ndarray, labels: np.ndarray) -> None:
        """Paint whole rows from `first` on: `rgb` (R, width, 3) in [0, 1] and `labels` (R, width)."""
        self.image.paste(Image.fromarray((np.clip(rgb, 0, 1) * 255).astype(np.uint8)), (0, first))
        self.labels.paste(Image.fromarray(labels), (0, first))

    def halve(self) -> tuple[np.ndarray, np.ndarray]:
        """The picture (H, W, 3) float32 in [0, 1], filtered, and the labels (H, W) uint8, read at pixel centres."""
        box = (0.5, 0.5, 2 * self.width + 0.5, 2 * self.height + 0.5)
        image = self.image.resize((self.width, self.height), Image.Resampling.BILINEAR, box)
        return np.asarray(image, dtype=np.float32) / 255, np.asarray(self.labels)[1::2, 1::2].copy()


def _bytes(rgb: np.ndarray) -> tuple[int, ...]:
    return tuple(int(255 * min(max(value, 0.0), 1.0)) for value in rgb.tolist())


def _homography(source: np.ndarray, target: np.ndarray) -> list[float]:
    rows, values = [], []
    for (x, y), (u, v) in zip(source, target, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        values += [u, v]
    return np.linalg.solve(np.array(rows), np.array(values)).tolist()
