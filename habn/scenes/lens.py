"""Light and lens: the weather that a scene is lit by, and what the camera makes of the light that reaches it."""

import numpy as np
from PIL import Image, ImageFilter

from habn.scenes.canvas import Canvas, Label, Light
from habn.scenes.textures import noise, sample

WEATHERS = ("sun", "sun", "sun", "bright", "overcast", "overcast", "rain", "haze", "dusk")


def build_light(rng: np.random.Generator) -> Light:
    """Choose a time of day and a weather."""
    weather = str(rng.choice(WEATHERS))
    azimuth = rng.uniform(-np.pi, np.pi)
    elevation = rng.uniform(0.22, 0.95) if weather != "dusk" else 0.1
    warm = float(np.clip(1 - elevation / 0.7, 0, 1))
    strength = {"sun": rng.uniform(0.8, 1.3), "bright": rng.uniform(0.3, 0.6), "haze": rng.uniform(0.05, 0.3)}.get(
        weather, 0.0
    )
    sky = {
        "sun": (0.50, 0.55, 0.64),
        "bright": (0.72, 0.75, 0.80),
        "overcast": (0.84, 0.86, 0.90),
        "rain": (0.62, 0.65, 0.70),
        "haze": (0.80, 0.81, 0.82),
        "dusk": (0.32, 0.33, 0.44),
    }[weather]
    haze = {"sun": (0.86, 0.90, 0.95), "dusk": (0.78, 0.55, 0.42), "rain": (0.66, 0.68, 0.71)}.get(
        weather, (0.88, 0.89, 0.90)
    )
    zenith = {
        "sun": (0.28, 0.48, 0.80),
        "bright": (0.55, 0.68, 0.86),
        "dusk": (0.16, 0.20, 0.38),
        "rain": (0.48, 0.50, 0.54),
    }.get(weather, (0.74, 0.77, 0.80))
    visibility = {"haze": rng.uniform(45, 130), "rain": rng.uniform(150, 350)}.get(weather, rng.uniform(350, 1500))
    clouds = {"sun": rng.uniform(0, 0.6), "bright": rng.uniform(0.4, 0.9), "dusk": rng.uniform(0.1, 0.7)}.get(
        weather, rng.uniform(0.7, 1)
    )
    direction = np.array([np.sin(azimuth) * np.cos(elevation), np.sin(elevation), np.cos(azimuth) * np.cos(elevation)])
    return Light(
        sun_direction=direction,
        sun=np.float32(strength) * np.array([1.0, 0.95 - 0.12 * warm, 0.86 - 0.3 * warm], dtype=np.float32),
        ambient=np.array(sky, dtype=np.float32) * np.float32(rng.uniform(0.9, 1.1)),
        haze=np.array(haze, dtype=np.float32) * np.float32(rng.uniform(0.92, 1.05)),
        zenith=np.array(zenith, dtype=np.float32) * np.float32(rng.uniform(0.85, 1.1)),
        visibility=float(visibility),
        clouds=float(clouds),
        wetness=float(rng.uniform(0.5, 1) if weather == "rain" else rng.uniform(0, 0.6) * (weather == "dusk")),
        lamps=weather == "dusk" or (weather == "rain" and bool(rng.random() < 0.5)),
        exposure=float(rng.uniform(0.85, 1.25) if weather != "dusk" else rng.uniform(0.8, 1.5)),
        noise=float(rng.uniform(0.004, 0.016) * (1.5 if weather == "dusk" else 1)),
    )


def add_reflections(canvas: Canvas, strength: float) -> None:
    """Mirror what is above the horizon in the wet road and pavement below it, smeared downwards."""
    first = max(int(canvas.horizon) + 1, 1)
    rows = canvas.size[1] - first
    above = canvas.image.crop((0, max(first - rows, 0), canvas.size[0], first)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    small = above.resize((canvas.size[0] // 4, max(above.height // 24, 2)), Image.Resampling.BOX)
    mirror = small.resize((canvas.size[0], rows), Image.Resampling.BILINEAR)
    wet = np.asarray(canvas.labels.crop((0, first, *canvas.size)))
    wet = (wet == Label.ROAD) * 1.0 + (wet == Label.PAVEMENT) * 0.6
    fade = np.linspace(0.75, 0.3, rows)[:, None]
    y, x = np.mgrid[:rows, : canvas.size[0]] * (240 / canvas.height)
    ripple = 0.9 + 0.1 * sample(noise(1.3), x * 0.5, y * 2)
    mask = Image.fromarray((255 * np.clip(strength * wet * fade * ripple, 0, 1)).astype(np.uint8))
    canvas.image.paste(mirror, (0, first), mask)


def develop(image: np.ndarray, light: Light, rng: np.random.Generator) -> np.ndarray:
    """What the sensor makes of the light `image` (H, W, 3) float32, as uint8.

    Exposure, glow, vignette, colour cast, tone curve and noise, in this order.
    """
    height, width, _ = image.shape
    image = image * np.float32(light.exposure)
    bright = Image.fromarray((np.clip(image - 0.75, 0, 1) * 255).astype(np.uint8))
    glow = (
        np.asarray(
            bright.filter(ImageFilter.BoxBlur(width / 60)).filter(ImageFilter.BoxBlur(width / 60)), dtype=np.float32
        )
        / 255
    )
    image += glow * np.float32(0.35)
    y, x = np.linspace(-1, 1, height, dtype=np.float32)[:, None], np.linspace(-1, 1, width, dtype=np.float32)[None, :]
    image *= (1 - np.float32(rng.uniform(0.02, 0.14)) * (x**2 + y**2))[..., None]
    image *= (1 + rng.normal(0, 0.035, 3)).astype(np.float32)
    image = np.clip(image, 0, 1.5) ** np.float32(0.8)
    contrast = np.float32(rng.uniform(0.0, 0.45))
    curve = image * image * (3 - 2 * np.minimum(image, 1))
    image = image * (1 - contrast) + curve * contrast
    grain = rng.standard_normal((height, width, 3), dtype=np.float32)
    image += (grain * np.float32(0.5) + grain[..., :1]) * np.float32(light.noise)
    return (np.clip(image, 0, 1) * 255 + 0.5).astype(np.uint8)
