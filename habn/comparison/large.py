"""A painting at the photo's own size, for a download: sharp, with the strokes as large as the page shows them."""

from collections.abc import Callable

import numpy as np
from PIL import Image

from habn.comparison.compared import answer_of, load_network
from habn.comparison.engine import LONGER_SIDE, in_turn
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, RequestError
from habn.images import Source, open_image

LARGEST_SIDE = 1600
"""Of a large painting, in pixels: both networks then stay below 1.5 GB."""


def paint_large(
    photo: Source, pair: str, painting: Painting, tell: Callable[[float], object] = lambda share: None
) -> tuple[np.ndarray, np.ndarray]:
    """Both networks' paintings of a photo, (H, W, 3) uint8 each, at its own size but no larger than LARGEST_SIDE.

    A network's strokes are as large in pixels on any picture, so on a large one they would be fine. What is coarse
    comes from the painting at the page's size, what is finer than that can show from the one at full size:

        large + enlarge(small - reduce(large))

    Args:
        photo: as for a `Request`.
        pair: a style pair.
        painting: how to paint.
        tell: is told the share that is done, in [0, 1], after each pass.

    Raises:
        RequestError: the pair does not paint.
        ImageError, PaintingError, CheckpointError: as `engine.run`.
    """
    if pair not in PAIRS or PAIRS[pair].task != "style":
        raise RequestError(f"The pair {pair!r} does not paint; choose one for style transfer.")
    image = open_image(photo, max_side=LARGEST_SIDE)
    small = open_image(image, max_side=LONGER_SIDE)
    done, painted = 0, []
    for name in (PAIRS[pair].first, PAIRS[pair].second):
        pictures = []
        for size in (small, image):
            pictures.append(in_turn(_paint, name, size, painting))
            done += 1
            tell(done / 4)
        painted.append(_join(*pictures))
    return painted[0], painted[1]


def _paint(name: str, image: np.ndarray, painting: Painting) -> np.ndarray:
    return answer_of(load_network(name), np.array(image), painting)[0]


def _join(small: np.ndarray, large: np.ndarray) -> np.ndarray:
    """What is coarse of `small`, what is fine of `large`."""
    height, width = large.shape[:2]
    if small.shape == large.shape:
        return large
    joined = np.empty_like(large)
    for channel in range(3):
        coarse = Image.fromarray(small[..., channel].astype(np.float32))
        reduced = Image.fromarray(large[..., channel].astype(np.float32)).resize(coarse.size, Image.Resampling.BOX)
        gap = Image.fromarray(np.asarray(coarse) - np.asarray(reduced)).resize(
            (width, height), Image.Resampling.BICUBIC
        )
        joined[..., channel] = np.clip(np.rint(large[..., channel] + np.asarray(gap)), 0, 255)
    return joined
