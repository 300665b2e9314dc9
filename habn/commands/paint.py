"""Repaint photos in the manner of paintings, by a style network.

    habn paint photo.jpg --style starry_night udnie --out painted --size 1600
    habn paint holiday/ --style the_scream --strength 0.7 --keep-colours --out painted

Writes NAME-STYLE.png for each photo and style. Strokes keep their size in pixels, so they are finer in a larger
picture; they were learned where the longer side is about 480.
"""

import argparse
import logging
from typing import Any

import numpy as np

from habn.commands import end_with_a_sentence
from habn.commands.photos import add_photo_arguments, for_each_photo, set_device
from habn.comparison.compared import answer_of, load_network
from habn.comparison.painting import Painting
from habn.data.styles import STYLES
from habn.errors import HabnError
from habn.images import save_png

log = logging.getLogger(__name__)


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: paint(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="habn paint", description=__doc__.split("\n\n")[0])
    add_photo_arguments(parser)
    parser.add_argument(
        "--style", nargs="+", choices=STYLES, default=["starry_night"], metavar="STYLE", help=", ".join(STYLES)
    )
    parser.add_argument("--strength", type=float, default=1.0, help="0 gives the photo back, 1 is the style as learned")
    parser.add_argument("--second-style", choices=STYLES, metavar="STYLE", help="blended into the first")
    parser.add_argument("--second-share", type=float, default=0.5, help="of the second style, 0 to 1; 0.5 by default")
    parser.add_argument(
        "--keep-colours", action="store_true", help="paint light and shade, and keep the photo's colours"
    )
    parser.add_argument(
        "--checkpoint",
        default="cfanet-habn-plus-styles",
        help="a shipped name, a folder or a Hub id; cfanet-habn-plus-styles by default",
    )
    return parser


def paint(args: argparse.Namespace) -> None:
    set_device(args)
    settings = {"strength": args.strength, "second_style": args.second_style, "second_share": args.second_share}
    paintings = [Painting(style, **settings, keep_colours=args.keep_colours) for style in args.style]
    log.info("Loading %s ...", args.checkpoint)
    network = load_network(args.checkpoint)
    if network.task != "style":
        raise HabnError(f"{args.checkpoint} does not paint; give a style network, or see habn segment.")

    def work(name: str, image: np.ndarray) -> list[dict[str, Any]]:
        answers = []
        for painting in paintings:
            picture, _ = answer_of(network, image, painting)
            file = save_png(picture, args.out / f"{name}-{painting.style}.png")
            answers.append({"files": [file.name], "style": painting.style})
        return answers

    for_each_photo(args, "Painting", work)


if __name__ == "__main__":
    main()
