"""Name what is where in photos, by a segmentation network.

    habn segment photo.jpg holiday/ --out classes
    habn segment "*.jpg" --out classes --checkpoint runs/mine --format indexed npz

Writes for each photo, as --format asks: NAME.png, the classes in colour; NAME-classes.png, an indexed PNG whose values
are the classes; NAME.npz with `labels` and `classes`. answers.jsonl says what share of each photo each class takes.
"""

import argparse
import logging
from typing import Any

import numpy as np

from habn.commands import end_with_a_sentence
from habn.commands.photos import add_photo_arguments, for_each_photo, set_device
from habn.comparison.compared import answer_of, load_network
from habn.comparison.engine import areas_of
from habn.errors import HabnError
from habn.images import save_indexed_png, save_png

log = logging.getLogger(__name__)

FORMATS = ("png", "indexed", "npz")


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: segment(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="habn segment", description=__doc__.split("\n\n")[0])
    add_photo_arguments(parser)
    parser.add_argument(
        "--checkpoint",
        default="spvcnn-habn-plus-camvid",
        help="a shipped name, a folder, a Hub id, or module:factory; spvcnn-habn-plus-camvid by default",
    )
    parser.add_argument("--format", nargs="+", choices=FORMATS, default=["png", "indexed"], metavar="FORMAT")
    return parser


def segment(args: argparse.Namespace) -> None:
    set_device(args)
    log.info("Loading %s ...", args.checkpoint)
    network = load_network(args.checkpoint)
    if network.task != "segmentation":
        raise HabnError(f"{args.checkpoint} does not name classes; give a segmentation network, or see habn paint.")

    def work(name: str, image: np.ndarray) -> list[dict[str, Any]]:
        picture, labels = answer_of(network, image)
        assert labels is not None
        files = []
        if "png" in args.format:
            files.append(save_png(picture, args.out / f"{name}.png"))
        if "indexed" in args.format:
            files.append(save_indexed_png(labels, network.palette, args.out / f"{name}-classes.png"))
        if "npz" in args.format:
            files.append(args.out / f"{name}.npz")
            np.savez_compressed(files[-1], labels=labels, classes=np.array(network.classes))
        height, width = labels.shape
        shares = {which: round(share, 6) for which, share in areas_of(labels, network.classes).items()}
        return [{"files": [file.name for file in files], "width": width, "height": height, "areas": shares}]

    for_each_photo(args, "Naming", work)


if __name__ == "__main__":
    main()
