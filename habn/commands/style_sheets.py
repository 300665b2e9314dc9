"""Paint photos in every style by every network, side by side, to be looked at closely.

    python -m habn.sheet --out docs/styles

Writes one sheet per style, STYLE.jpg: a row for each photo, a column for each normalization. Without --photos the
photos are the page's own examples, all drawn by this project, so their sheets may be shown.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import nn

from habn.checkpoints import CHECKPOINTS, CheckpointError, load_checkpoint
from habn.commands import end_with_a_sentence
from habn.comparison.examples import FOLDER
from habn.comparison.painting import Painting
from habn.data.styles import STYLE_TITLES, STYLES
from habn.errors import HabnError
from habn.images import open_image
from habn.layers.normalization import NORM_LABELS
from habn.pixels import to_image, to_tensor

NORMS = ("bn", "in", "habn", "habn-plus")
PHOTO_SIDE = 480
MARGIN, TITLE, HEAD = 12, 52, 34  # in pixels: around everything, and the heights of the lines of text
INK, PAPER = (28, 36, 48), (255, 255, 255)
QUALITY = 82  # of JPEG: strokes stay sharp, and all eight sheets together take about 5 MB


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: draw_sheets(args))


def draw_sheets(args: argparse.Namespace) -> None:
    if args.width < 32:
        raise HabnError("--width must be at least 32.")
    networks = {norm: load_style_network(args.checkpoints, norm) for norm in args.norms}
    paths = args.photos or sorted(FOLDER.glob("*.jpg"))
    photos = [open_image(path, PHOTO_SIDE) for path in paths]
    args.out.mkdir(parents=True, exist_ok=True)
    for style in args.styles:
        path = args.out / f"{style}.jpg"
        draw_style_sheet(style, photos, networks, args.width).save(path, quality=QUALITY)
        print(path, flush=True)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn.sheet", description=__doc__.split("\n\n")[0])
    parser.add_argument("--out", type=Path, required=True, help="the folder of the sheets")
    parser.add_argument("--photos", type=Path, nargs="+", metavar="FILE", help="others than the page's examples")
    parser.add_argument("--styles", nargs="+", default=STYLES, choices=STYLES, metavar="STYLE")
    parser.add_argument("--norms", nargs="+", default=NORMS, choices=NORM_LABELS, metavar="NORM")
    parser.add_argument("--checkpoints", type=Path, default=CHECKPOINTS, help="holds cfanet-NORM-styles")
    parser.add_argument("--width", type=int, default=320, help="of a picture on the sheet, in pixels")
    return parser


def load_style_network(folder: Path, norm: str) -> nn.Module:
    """The style network of a normalization.

    Raises:
        CheckpointError: when there is none, or it is damaged.
    """
    path = folder / f"cfanet-{norm}-styles"
    if not path.is_dir():
        raise CheckpointError(
            f"{path} is missing; train it with python -m habn.train style, or leave {norm} out of --norms."
        )
    return load_checkpoint(path).to(memory_format=torch.channels_last)


def draw_style_sheet(
    style: str, photos: Sequence[np.ndarray], networks: dict[str, nn.Module], width: int
) -> Image.Image:
    """A row for each photo (H, W, 3) uint8: the photo itself, then what each network makes of it in the style."""
    rows = [[photo, *(paint(network, photo, style) for network in networks.values())] for photo in photos]
    tiles = [[_reduce(picture, width) for picture in row] for row in rows]
    heads = ["photo", *(NORM_LABELS[norm] for norm in networks)]
    sheet = Image.new("RGB", _size(tiles, width), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN), STYLE_TITLES[style], INK, ImageFont.load_default(24))
    for column, head in enumerate(heads):
        draw.text((_left(column, width), TITLE), head, INK, ImageFont.load_default(18))
    top = TITLE + HEAD
    for row in tiles:
        for column, tile in enumerate(row):
            sheet.paste(tile, (_left(column, width), top))
        top += row[0].height + MARGIN
    return sheet


@torch.inference_mode()
def paint(network: nn.Module, photo: np.ndarray, style: str) -> np.ndarray:
    """What a network makes of a photo in a style: (H, W, 3) uint8 to the same."""
    pixels = to_tensor(photo)
    painted = network(pixels, Painting(style).row(network.num_styles))
    return to_image(painted)


def _reduce(picture: np.ndarray, width: int) -> Image.Image:
    image = Image.fromarray(picture)
    return image.resize((width, round(image.height * width / image.width)), Image.Resampling.LANCZOS)


def _left(column: int, width: int) -> int:
    return MARGIN + column * (width + MARGIN)


def _size(tiles: Sequence[Sequence[Image.Image]], width: int) -> tuple[int, int]:
    return _left(len(tiles[0]), width), TITLE + HEAD + sum(row[0].height + MARGIN for row in tiles)


if __name__ == "__main__":
    main()
