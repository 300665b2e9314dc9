"""Show what the normalization layers of two networks do to a photo.

    habn inspect photo.jpg
    habn inspect photo.jpg --layer stem.norm --channel 3 --report stem.html
    habn inspect photo.jpg --first spvcnn-bn-camvid --second runs/mine --save answers

Prints a line for each layer: what it is, its shape (channels, rows, columns), and how far scale, bias, mean and
variance move over the picture; then the numbers of one pixel. --report writes the page's inspector of it into one file
that opens offline, --sheet a page to print, --arrays the raw arrays, --save all answers.
"""

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

import numpy as np

from habn.commands import end_with_a_sentence
from habn.commands.photos import set_device
from habn.comparison.painting import Painting
from habn.comparison.request import PAIRS, Request
from habn.data.styles import STYLES
from habn.library.comparison import Comparison, run

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: inspect(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="habn inspect", description=__doc__.split("\n\n")[0])
    parser.add_argument("photo", metavar="PHOTO", help="a file, or - for standard input")
    parser.add_argument("--pair", default=Request.pair, choices=PAIRS, metavar="PAIR", help=", ".join(PAIRS))
    parser.add_argument(
        "--first", help="a network in place of the pair's: a shipped name, a folder, a Hub id, module:factory"
    )
    parser.add_argument("--second", help="the other network")
    parser.add_argument("--style", default=STYLES[0], choices=STYLES, metavar="STYLE", help="of a style pair")
    parser.add_argument("--layer", help="name of a layer; the one that adapts most unless given")
    parser.add_argument("--channel", type=int, help="of that layer; the one that adapts most unless given")
    parser.add_argument(
        "--pixel", type=int, nargs=2, metavar=("ROW", "COLUMN"), help="in that layer's maps; the middle"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write one HTML file with a working inspector")
    parser.add_argument("--sheet", type=Path, metavar="FILE", help="write a page to print: .png, .pdf or .svg")
    parser.add_argument("--arrays", type=Path, metavar="FILE", help="write the layer's raw arrays: .npz")
    parser.add_argument("--save", type=Path, metavar="DIR", help="write photo, answers, differences and figures")
    parser.add_argument("--device", help="cpu, cuda or cuda:1; CUDA where there is one")
    return parser


def inspect(args: argparse.Namespace) -> None:
    set_device(args)
    photo = sys.stdin.buffer.read() if args.photo == "-" else args.photo
    log.info("Both networks look at the photo ...")
    result = run(photo, args.pair, first=args.first, second=args.second, painting=Painting(args.style))
    view = result.view(args.layer, args.channel, args.pixel)
    print(result)
    print_layers(result)
    print_pixel(result, view.layer, view.channel, view.pixel)
    place: dict[str, Any] = {"layer": view.layer, "channel": view.channel, "pixel": view.pixel}
    if args.save is not None:
        result.save(args.save)
    if args.report is not None:
        log.info("Writing the report ...")
        result.report(args.report, **place)
    if args.sheet is not None:
        result.figure(**place).savefig(args.sheet)
    if args.arrays is not None:
        np.savez_compressed(args.arrays, **result.arrays(view.layer))
    for path in filter(None, (args.report, args.sheet, args.arrays, args.save)):
        print(f"Written: {path}")


def print_layers(result: Comparison) -> None:
    """A line for each layer of the second network."""
    width = max(len(record.name) for record in result.second.records)
    print(f"{'layer':{width}}  kind       {'shape':14}  scale   bias    mean    var")
    for record in result.second.records:
        moved = "  ".join(f"{value:<6.3f}" for value in record.strength)
        print(f"{record.name:{width}}  {record.kind:9}  {' x '.join(map(str, record.shape)):14}  {moved}".rstrip())


def print_pixel(result: Comparison, layer: int, channel: int, pixel: tuple[int, int]) -> None:
    """The equation of a pixel, for both networks."""
    row, column = pixel
    print(f"\n{result.second.records[layer].name}, channel {channel}, row {row}, column {column}:")
    for output in (result.first, result.second):
        record = output.records[layer]
        scale, bias, mean, var = record.effective(channel)[:, row, column]
        x, y = record.x[channel, row, column], record.y[channel, row, column]
        print(
            f"{output.label:6} s = {record.context[row, column]:.4g}: y = ({x:.4g} - {mean:.4g}) / "
            f"sqrt({var:.4g} + {record.eps:.4g}) * {scale:.4g} + {bias:.4g} = {y:.4g}"
        )


if __name__ == "__main__":
    main()
