"""Drawn street scenes with exact labels: the data set that needs no download.

layout     what stands where, in metres                 lens      weather and sensor
canvas     camera, light, picture and labels            textures  noise, masonry, leaves
ground, buildings, vehicles, plants, people, furniture  the things themselves
"""

from typing import NamedTuple

import numpy as np
from PIL import Image, ImageDraw

from habn.errors import HabnError
from habn.scenes.canvas import Canvas, Label
from habn.scenes.ground import blurred, paint_ground, paint_sky
from habn.scenes.layout import build_street
from habn.scenes.lens import add_reflections, build_light, develop
from habn.scenes.plan import Thing
from habn.scenes.vehicles import Vehicle

__all__ = ["Label", "Scene", "draw_scene"]

SMALLEST = 32


class Scene(NamedTuple):
    """A picture (H, W, 3) uint8 RGB and its labels (H, W) uint8 in 0..10 (`Label`)."""

    image: np.ndarray
    labels: np.ndarray


def draw_scene(seed: int, height: int = 360, width: int = 480) -> Scene:
    """Draw the street scene number `seed`; at another size it is the same street, seen by the same camera.

    Things are painted from far to near, each into picture and labels by one call. The lens changes the picture only.

    Raises:
        HabnError: if `height` or `width` is less than 32.
    """
    if height < SMALLEST or width < SMALLEST:
        raise HabnError(
            f"A scene must be at least {SMALLEST} x {SMALLEST} pixels, not {height} x {width}: ask for a larger one."
        )
    rng = np.random.default_rng(seed)
    light = build_light(rng)
    street = build_street(rng, light)
    canvas = Canvas(street.camera, light, height, width)
    paint_sky(canvas, seed)
    things = [*street.vehicles, *street.others]
    paint_ground(canvas, street.ground, _shadows(canvas, things), _contacts(canvas, street.vehicles))
    for thing in sorted(things, key=lambda thing: thing.z, reverse=True):
        thing.paint(canvas)
    if light.wetness > 0:
        add_reflections(canvas, light.wetness)
    image, labels = canvas.halve()
    return Scene(develop(image, light, rng), labels)


def _shadows(canvas: Canvas, things: list[Thing]) -> np.ndarray:
    """How much of the sun is kept off the ground at each pixel of the canvas, in [0, 1]."""
    mask = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(mask)
    if canvas.light.sun.max() > 0:
        for thing in things:
            for polygon in thing.shadow(canvas):
                _fill(draw, canvas, polygon, 255)
    return blurred(mask, canvas.width / 300)


def _contacts(canvas: Canvas, vehicles: list[Vehicle]) -> np.ndarray:
    """How much of all light is kept off the ground under vehicles, in [0, 1]."""
    mask = Image.new("L", canvas.size)
    draw = ImageDraw.Draw(mask)
    for vehicle in vehicles:
        for margin, darkness in ((0.35, 60), (0.15, 120), (-0.05, 215)):
            _fill(draw, canvas, vehicle.footprint(margin), darkness)
    return blurred(mask, canvas.width / 160)


def _fill(draw: ImageDraw.ImageDraw, canvas: Canvas, polygon: np.ndarray, value: int) -> None:
    outline = canvas.outline(polygon)
    if len(outline) >= 3:
        draw.polygon(outline.ravel().tolist(), fill=value)
