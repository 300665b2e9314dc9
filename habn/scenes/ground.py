"""Sky and ground: the two things that every other one stands before."""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from habn.scenes.canvas import Canvas, Label
from habn.scenes.textures import noise, sample

ASPHALT, PATCH, WHITE, YELLOW, IRON, KERB, SLAB, JOINT, GRASS, YARD = range(10)
NOTHING = 255
LABELS = np.array([Label.ROAD] * 5 + [Label.PAVEMENT] * 3 + [Label.TREE, Label.PAVEMENT], dtype=np.uint8)
STRIP = 48  # rows of the ground that are painted at once


@dataclass(frozen=True, kw_only=True)
class Ground:
    """The street's plan in metres: where road, pavement and side streets lie and what is painted on the asphalt."""

    half_road: float
    pavement: tuple[float, float]
    verge: tuple[float, float]
    yard_is_grass: tuple[bool, bool]
    junctions: tuple[tuple[float, float, int], ...]
    crossing: float | None
    lanes: tuple[float, ...]
    dash: float
    edge_lines: int
    edge_paint: int
    asphalt: np.ndarray
    slab: np.ndarray
    slab_size: float
    patches: np.ndarray
    arrows: tuple[tuple[float, float, float], ...]


def paint_sky(canvas: Canvas, seed: int) -> None:
    """A gradient from the horizon to the zenith, the sun's glow, and a layer of clouds in perspective."""
    light, camera = canvas.light, canvas.camera
    bottom = int(canvas.horizon) + 2
    columns, rows = np.arange(0, canvas.size[0], 2, dtype=np.float32), np.arange(0, bottom, 2, dtype=np.float32)
    across = (columns - canvas.width)[None, :] / canvas.scale
    up = np.maximum(canvas.horizon - rows, 0)[:, None] / canvas.scale
    blend = np.clip(up * 2.2, 0, 1) ** 0.7
    sky = light.haze * (1 - blend[..., None]) + light.zenith * blend[..., None]
    sky = np.repeat(sky, len(columns), axis=1).astype(np.float32)
    offset = seed % 512
    plane = 26 / (up + 0.09)
    cover = sample(noise(1.8), across * plane * 1.6 + offset, plane * 1.5 + offset + 0 * across)
    cover += 0.3 * sample(noise(1.8), across * plane * 5 + offset, plane * 5 + 0 * across)
    amount = np.clip((cover - 1.4 + 2.6 * light.clouds) * 0.55, 0, 1)[..., None] * np.clip(up * 9, 0.15, 1)[..., None]
    thick = np.clip(1.04 - 0.1 * cover, 0.6, 1.1)[..., None]
    cloud = (light.ambient * 0.75 + light.sun * 0.4 + light.haze * 0.35) * thick
    sky = sky * (1 - amount) + cloud * amount
    cos, sin = np.cos(camera.yaw), np.sin(camera.yaw)
    x, y, z = light.sun_direction
    toward = (across * (x * cos - z * sin) + up * y + x * sin + z * cos) / np.sqrt(across**2 + up**2 + 1)
    sky += (0.5 * np.clip(toward, 0, 1) ** 24)[..., None] * light.sun
    small = Image.fromarray((np.clip(sky, 0, 1) * 255).astype(np.uint8))
    small = small.filter(ImageFilter.BoxBlur(canvas.height / 240))
    whole = np.asarray(small.resize((canvas.size[0], bottom), Image.Resampling.BILINEAR), dtype=np.float32) / 255
    canvas.rows(0, whole, np.full((bottom, canvas.size[0]), Label.SKY, dtype=np.uint8))


def paint_ground(canvas: Canvas, ground: Ground, shadow: np.ndarray, contact: np.ndarray) -> None:
    """Everything flat, from the horizon to the lower edge, in strips that stay in the processor's cache.

    `shadow` and `contact` (rows, columns of the canvas) in [0, 1] say how much of the sun and of all light is kept off.
    """
    marks = _painted_marks(canvas, ground)
    for first in range(max(math.ceil(canvas.horizon) + 1, 0), canvas.size[1], STRIP):
        rows = slice(first, min(first + STRIP, canvas.size[1]))
        _paint_strip(canvas, ground, rows, marks[rows], shadow[rows], contact[rows])


def _paint_strip(
    canvas: Canvas, ground: Ground, rows: slice, marks: np.ndarray, shadow: np.ndarray, contact: np.ndarray
) -> None:
    light = canvas.light
    depth, u, v = _plan_of_rows(canvas, np.arange(rows.start, rows.stop, dtype=np.float32)[:, None])
    mottle = sample(noise(1.3), u * 40, v * 40)
    material = _materials(ground, u, v, mottle)
    np.copyto(material, marks, where=(marks != NOTHING) & (LABELS[material] == Label.ROAD))
    tone = 1 + 0.05 * mottle + 0.11 * np.clip(9 / depth, 0.15, 1) * sample(noise(0.6), u * 110, v * 110)
    tracks = np.cos((np.abs(u) - ground.half_road / 2) * np.float32(3.6))
    tone += np.where(material < KERB, 0.05 * tracks + 0.06 * sample(noise(1.8), u * 6, v * 1.5), 0)
    grass = np.nonzero(material == GRASS)
    tone[grass] *= 1 + 0.25 * sample(noise(0.6), u[grass] * 60, v[grass] * 60)
    paint = [(0.80, 0.80, 0.78), (0.70, 0.60, 0.26), (0.16, 0.15, 0.15), (0.55, 0.54, 0.52)]
    stone = [ground.slab, ground.slab * 0.72, (0.20, 0.30, 0.10), ground.slab * 0.85]
    palette = np.array([ground.asphalt, ground.asphalt * 0.75, *paint, *stone], dtype=np.float32)
    sun = np.float32(max(light.sun_direction[1], 0.15)) * (1 - shadow)
    clear = np.exp(-depth / np.float32(light.visibility))
    tone *= (1 - contact) * np.float32(1 - 0.45 * light.wetness) * clear
    rgb = np.empty((*material.shape, 3), dtype=np.float32)
    for channel in range(3):
        rgb[..., channel] = palette[:, channel][material] * tone * (light.ambient[channel] + light.sun[channel] * sun)
        rgb[..., channel] += light.haze[channel] * (1 - clear)
    canvas.rows(rows.start, rgb, LABELS[material])


def _plan_of_rows(canvas: Canvas, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How far the ground in canvas rows (R, 1) is, and where on its plan, across and along: `project` backwards."""
    camera, columns = canvas.camera, np.arange(canvas.size[0], dtype=np.float32)[None, :]
    depth = np.minimum(np.float32(canvas.scale * camera.height) / (rows - np.float32(canvas.horizon)), np.float32(400))
    right = depth * ((columns - canvas.width) / np.float32(canvas.scale))
    cos, sin = np.float32(math.cos(camera.yaw)), np.float32(math.sin(camera.yaw))
    v = depth * cos - right * sin
    u = depth * sin + right * cos + np.float32(camera.x) - np.float32(camera.bend / 2) * v * np.abs(v)
    return depth, u, v


def _materials(ground: Ground, u: np.ndarray, v: np.ndarray, mottle: np.ndarray) -> np.ndarray:
    """What the ground is made of at each place (u, v) of its plan, as uint8."""
    side = (u > 0).astype(np.int8)
    beyond = np.abs(u) - np.float32(ground.half_road)
    verge = np.array(ground.verge, dtype=np.float32)[side]
    end = verge + np.array(ground.pavement, dtype=np.float32)[side]
    yard = np.where(ground.yard_is_grass, GRASS, YARD).astype(np.uint8)[side]
    material = np.where(beyond > end, yard, np.uint8(SLAB))
    material[beyond < verge] = GRASS
    material[beyond < 0.22] = KERB
    near = np.nonzero((material == SLAB) & (v < 25))
    material[near] += _joint(u[near], v[near], np.float32(ground.slab_size))
    road = beyond < 0
    for start, stop, sign in ground.junctions:
        road |= (v > start) & (v < stop) & (u * sign > 0)
    material[road] = ASPHALT
    worn = road & (beyond < 0) & (mottle > -1.4)
    for lane in ground.lanes:
        line = np.nonzero(worn & (np.abs(u - lane) < 0.065))
        material[line] = np.where(np.mod(v[line], ground.dash) < ground.dash * 0.45, WHITE, ASPHALT)
    for number in range(ground.edge_lines):
        material[worn & (np.abs(beyond + 0.3 + 0.2 * number) < 0.04)] = ground.edge_paint
    if ground.crossing is not None:
        stripes = np.nonzero(worn & (np.abs(v - ground.crossing) < 1.5))
        material[stripes] = np.where(np.mod(u[stripes], 1.2) < 0.6, WHITE, ASPHALT)
    return material


def _joint(u: np.ndarray, v: np.ndarray, size: np.float32) -> np.ndarray:
    """1 where paving slabs of `size` x 1.5 `size` metres, in running bond, meet, else 0."""
    row = np.floor(u / size)
    return ((u - row * size < 0.03) | (np.mod(v + size / 2 * row, size * 1.5) < 0.03)).astype(np.uint8)


def _painted_marks(canvas: Canvas, ground: Ground) -> np.ndarray:
    """Mended asphalt, manhole covers and arrows on the whole canvas, as uint8; NOTHING elsewhere."""
    picture = Image.new("L", canvas.size, NOTHING)
    draw = ImageDraw.Draw(picture)

    def fill(plan: list[tuple[float, float]], what: int) -> None:
        outline = canvas.outline(np.array([(x, 0, z) for x, z in plan]))
        if len(outline) >= 3:
            draw.polygon(outline.ravel().tolist(), fill=what)

    for x, z, width, length in ground.patches:
        fill([(x, z), (x + width, z), (x + width, z + length), (x, z + length)], PATCH)
        angles = np.linspace(0, 2 * np.pi, 14)
        fill(list(zip(x + 0.5 + 0.3 * np.cos(angles), z - 1.5 + 0.3 * np.sin(angles), strict=True)), IRON)
    for x, z, way in ground.arrows:
        tip = [(-0.09, 0), (0.09, 0), (0.09, 2), (0.4, 2), (0, 3.4), (-0.4, 2), (-0.09, 2)]
        fill([(x + dx, z + way * (dz - 1.7)) for dx, dz in tip], WHITE)
    return np.asarray(picture)


def blurred(mask: Image.Image, radius: float) -> np.ndarray:
    """An 8-bit mask, softened, as float32 in [0, 1]."""
    return np.asarray(mask.filter(ImageFilter.BoxBlur(radius)), dtype=np.float32) / 255
