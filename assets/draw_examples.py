"""Draw the example pictures: `python -m assets.draw_examples` writes `assets/examples/`.

Streets with exact labels, which give the page a score to show, and mountain lakes, which
no segmentation network here has learned and every style can repaint.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from habn.scenes import draw_scene

FOLDER = Path(__file__).parent / "examples"
HEIGHT, WIDTH = 360, 480  # what the networks see, so that the labels fit
SCENES = (9_000_007, 9_000_015, 9_000_017, 9_000_025)  # far from the seeds of every split
LAKES = (0, 4)

SIZE = 2048  # of the terrain, in cells
FOCAL = 435  # of the lens, in pixels
HORIZON = 225  # row of the picture
EYE, RELIEF = 26, 420  # heights of the camera and of the highest mountain, in cells
HAZE = np.array([226, 188, 168], np.float32)


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for number, seed in enumerate(SCENES, 1):
        scene = draw_scene(seed, HEIGHT, WIDTH)
        save_jpeg(scene.image, f"scene_{number}.jpg")
        Image.fromarray(scene.labels).save(FOLDER / f"scene_{number}_labels.png", optimize=True)
    for number, seed in enumerate(LAKES, 1):
        save_jpeg(draw_lake(seed), f"lake_{number}.jpg")


def save_jpeg(image: np.ndarray, name: str) -> None:
    Image.fromarray(image).save(FOLDER / name, quality=86, optimize=True)


def draw_lake(seed: int) -> np.ndarray:
    """Draw a mountain lake in evening light: the columns of a fractal terrain, painted from near to far."""
    rng = np.random.default_rng(seed)
    shore = np.clip((np.arange(SIZE)[:, None] - 450) / 900, 0, 1)  # the terrain rises beyond the lake
    terrain = np.maximum(fractal(rng, SIZE, 1.1) * 1.5 - 0.65, 0) * shore
    colour = shade(terrain, rng)
    sky = draw_sky(rng)
    image, edge = sky.copy(), np.full(WIDTH, HEIGHT)
    rows, columns = np.arange(HEIGHT)[:, None], np.arange(WIDTH)
    for distance in 1.008 ** np.arange(560, 930):
        z, x = int(distance), (SIZE / 2 + (columns - WIDTH / 2) / FOCAL * distance).astype(int) % SIZE
        height = terrain[z, x]
        top = np.clip(HORIZON + (EYE - height * RELIEF) / distance * FOCAL, 0, HEIGHT).astype(int)
        clear = np.exp(-distance / 1800)
        mirrored = sky[np.clip(2 * HORIZON - top, 0, HEIGHT - 1), columns] * 0.6
        painted = np.where(height[:, None] > 0, colour[z, x], mirrored) * clear + HAZE * (1 - clear)
        image = np.where(((rows >= top) & (rows < edge))[..., None], painted, image)
        edge = np.minimum(edge, top)
    return np.clip(image + rng.normal(0, 3, (HEIGHT, WIDTH, 1)), 0, 255).astype(np.uint8)


def fractal(rng: np.random.Generator, size: int, roughness: float) -> np.ndarray:
    """Noise (size, size) in [0, 1] whose spectrum falls as 1 / frequency ** (1 + roughness)."""
    frequency = np.hypot(np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None])
    frequency[0, 0] = np.inf
    spectrum = rng.normal(size=frequency.shape) + 1j * rng.normal(size=frequency.shape)
    noise = np.fft.irfft2(spectrum / frequency ** (1 + roughness), s=(size, size))
    return (noise - noise.min()) / np.ptp(noise)


def shade(terrain: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Colour (H, W, 3) of the ground by height and slope, lit from the left."""
    slope_z, slope_x = np.gradient(terrain * RELIEF)
    steep = np.hypot(slope_z, slope_x)
    light = np.clip(0.7 + 0.6 * slope_x / np.sqrt(1 + steep**2), 0.12, 1.15)[..., None]
    level = (terrain + 0.12 * (fractal(rng, len(terrain), 0.2) - 0.5))[..., None]
    grass, rock, snow = (np.array(rgb, np.float32) for rgb in ([74, 96, 48], [122, 104, 92], [244, 240, 246]))
    ground = np.where(level < 0.28, grass, rock)
    ground = np.where((level > 0.55) & (steep[..., None] < 1.7), snow, ground)
    grain = 0.85 + 0.3 * fractal(rng, len(terrain), -0.4)[..., None]
    return ground * light * grain * np.array([1.12, 1.0, 0.88], np.float32)


def draw_sky(rng: np.random.Generator) -> np.ndarray:
    """An evening sky (HEIGHT, WIDTH, 3) float with clouds that are lit from below."""
    depth = np.linspace(0, 1, HEIGHT)[:, None, None] * 2
    zenith, low = np.array([62, 92, 160], np.float32), np.array([252, 196, 140], np.float32)
    sky = zenith * np.clip(1 - depth, 0, 1) + low * np.clip(depth, 0, 1)
    clouds = fractal(rng, 1024, 0.75)[: HEIGHT * 2 : 2, :WIDTH]
    cover = np.clip((clouds - 0.52) * 5, 0, 1)[..., None]
    return sky * (1 - cover) + np.array([255, 214, 190], np.float32) * cover * (0.75 + 0.25 * np.clip(depth, 0, 1))


if __name__ == "__main__":
    main()
