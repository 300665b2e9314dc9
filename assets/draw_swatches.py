"""Paint the page's swatches: `python -m assets.draw_swatches` writes `assets/swatches/`.

One small picture for each style: the first drawn lake, as the best network at hand paints it.
"""

from pathlib import Path

from PIL import Image

from assets.draw_examples import FOLDER as EXAMPLES
from habn import Painting, Request, run
from habn.comparison.request import PAIRS
from habn.data.styles import STYLES

FOLDER = Path(__file__).parent / "swatches"
PHOTO = EXAMPLES / "lake_1.jpg"
PREFERRED = ("styles-plus", "styles")  # of whose networks the second paints
SIDE = 192  # pixels: twice as many as a swatch takes on the page, for dense screens


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    pair = next(pair for pair in PREFERRED if pair in PAIRS)
    for style in STYLES:
        painted = Image.fromarray(run(Request(PHOTO, pair, Painting(style), record=False)).second.picture)
        side = min(painted.size)
        left, top = ((length - side) // 2 for length in painted.size)
        square = painted.crop((left, top, left + side, top + side))
        square.resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(FOLDER / f"{style}.jpg", quality=82, optimize=True)


if __name__ == "__main__":
    main()
