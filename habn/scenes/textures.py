"""Surfaces: noise, masonry and foliage, computed once and sampled everywhere."""

from functools import cache

import numpy as np

SIDE = 512  # texels of a tile; a power of two, so that tiling is a bit mask


@cache
def noise(roughness: float) -> np.ndarray:
    """Tileable noise (SIDE, SIDE), mean 0, standard deviation 1, with a spectrum of 1 / frequency ** roughness."""
    white = np.random.default_rng(int(roughness * 10)).standard_normal((SIDE, SIDE))
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(SIDE), np.fft.rfftfreq(SIDE), indexing="ij"))
    frequency[0, 0] = np.inf
    field = np.fft.irfft2(np.fft.rfft2(white) / frequency**roughness, s=(SIDE, SIDE))
    return (field / field.std()).astype(np.float32)


@cache
def masonry(course: int, length: int) -> np.ndarray:
    """Brightness (SIDE, SIDE) of a wall of bricks `length` texels long and `course` texels high, in running bond."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    layer = rows // course
    shifted = columns + (layer % 2) * (length // 2)
    tone = np.random.default_rng(course).normal(1, 0.12, (SIDE, SIDE))[layer, shifted // length % SIDE]
    mortar = (rows % course == 0) | (shifted % length == 0)
    return np.where(mortar, 1.25, tone).astype(np.float32)


def sample(tile: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The tile's texels at columns `u` and rows `v` (any real numbers)."""
    return tile[np.floor(v).astype(np.int32) & (SIDE - 1), np.floor(u).astype(np.int32) & (SIDE - 1)]


def window(tile: np.ndarray, rng: np.random.Generator, height: int, width: int, step: float = 1.0) -> np.ndarray:
    """A piece (height, width) of the tile from a random place, every `step`-th texel of it."""
    row, column = rng.integers(SIDE, size=2)
    rows = (row + np.arange(height) * step).astype(np.int32) & (SIDE - 1)
    columns = (column + np.arange(width) * step).astype(np.int32) & (SIDE - 1)
    return tile[np.ix_(rows, columns)]


def with_alpha(rgb: np.ndarray, solid: np.ndarray) -> np.ndarray:
    """Colours (h, w, 3) in [0, 1] and a mask (h, w) as one picture (h, w, 4) uint8."""
    rgba = np.empty((*solid.shape, 4), dtype=np.uint8)
    rgba[..., :3] = np.minimum(rgb, 1) * 255
    rgba[..., 3] = np.where(solid, 255, 0)
    return rgba


def foliage(
    rng: np.random.Generator, side: int, lobes: np.ndarray, sun: tuple[float, float], density: float
) -> tuple[np.ndarray, np.ndarray]:
    """Leaves filling a union of round lobes: brightness (side, side) around 1 and where leaves are (side, side).

    `lobes` (L, 3) are centre x, centre y (down) and radius in parts of the side; `sun` is the direction to it on the
    picture (x, y down); `density` in [0, 1] says how little is seen through.
    """
    grid = (np.arange(side, dtype=np.float32) + 0.5) / side
    height = np.full((side, side), -1.0, dtype=np.float32)
    light = np.zeros((side, side), dtype=np.float32)
    for x, y, radius in lobes.astype(np.float32):
        across, down = (grid - x) / radius, (grid - y) / radius
        lobe = 1 - np.sqrt(across[None, :] ** 2 + down[:, None] ** 2)
        front = lobe > height
        np.copyto(height, lobe, where=front)
        np.copyto(light, across[None, :] * np.float32(sun[0]) + down[:, None] * np.float32(sun[1]), where=front)
    step = SIDE / side / 2
    coarse = window(noise(1.3), rng, side, side, step)
    fine = window(noise(0.6), rng, side, side, step)
    solid = height + 0.16 * coarse + 0.12 * fine > 0.42 - 0.4 * density
    solid &= fine + 0.8 * coarse > -0.6 - 2.4 * density
    return 0.85 + 0.28 * light + 0.13 * coarse + 0.2 * fine, solid
