"""What the commands that take photos share: which photos are meant, and one after the other through a network."""

import argparse
import glob
import json
import logging
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from habn.errors import HabnError
from habn.images import Source, open_image

log = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff")
"""Of what is taken from a folder; a file that is named is opened whatever it is called."""
LONGER_SIDE = 480

Photo = tuple[str, Source]
"""The name that its files get, and where it is read from."""


def add_photo_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos", nargs="+", metavar="PHOTO", help='files, folders, patterns such as "*.jpg", or - for standard input'
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder of the answers")
    parser.add_argument(
        "--size", type=int, default=LONGER_SIDE, help=f"longer side in pixels; {LONGER_SIDE} by default"
    )
    parser.add_argument("--device", help="cpu, cuda or cuda:1; CUDA where there is one")


def set_device(args: argparse.Namespace) -> None:
    """What `habn.comparison.compared.device` reads."""
    if args.device:
        os.environ["HABN_DEVICE"] = args.device


def find_photos(arguments: Iterable[str]) -> list[Photo]:
    """The photos that are meant; no two get one name.

    Raises:
        HabnError: a folder holds none, a pattern meets none, or there is no such file.
    """
    photos: list[Photo] = []
    for argument in arguments:
        photos += [("photo", sys.stdin.buffer.read())] if argument == "-" else [(p.stem, p) for p in _files(argument)]
    taken: dict[str, int] = {}
    named = []
    for name, source in photos:
        taken[name] = taken.get(name, 0) + 1
        named.append((name if taken[name] == 1 else f"{name}-{taken[name]}", source))
    return named


def _files(argument: str) -> list[Path]:
    path = Path(argument)
    if path.is_dir():
        found = sorted(p for p in path.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith("."))
        problem = f"The folder {argument} holds no picture ({', '.join(SUFFIXES)}); name another one."
    elif path.exists() or not glob.has_magic(argument):
        found = [path] if path.exists() else []
        problem = f"There is no file {argument}; check the name and the folder."
    else:
        found = sorted(map(Path, glob.glob(argument)))
        problem = f"No file matches {argument}; check the pattern and the folder."
    if not found:
        raise HabnError(problem)
    return found


def for_each_photo(
    args: argparse.Namespace, what: str, work: Callable[[str, np.ndarray], list[dict[str, Any]]]
) -> None:
    """Give each photo to `work`, under a progress bar, and end with where everything is.

    A photo that cannot be used is named, and the others go on; the process then ends with status 1.

    Args:
        what: is being done, for the bar.
        work: takes a name and the picture (H, W, 3) uint8, writes files into `args.out`, and returns what can be said
            of each, for answers.jsonl.
    """
    if args.size < 16:
        raise HabnError("--size must be at least 16.")
    photos = find_photos(args.photos)
    args.out.mkdir(parents=True, exist_ok=True)
    failed = 0
    with (args.out / "answers.jsonl").open("w", encoding="utf-8") as lines:
        for name, source in tqdm(photos, desc=what, unit="photo"):
            try:
                answers = work(name, open_image(source, args.size))
            except HabnError as error:
                failed += 1
                tqdm.write(f"error: {name if isinstance(source, bytes) else source}: {error}", file=sys.stderr)
                continue
            for answer in answers:
                lines.write(json.dumps({"photo": name, **answer}) + "\n")
    print(f"{len(photos) - failed} of {len(photos)} photos are in {args.out}; answers.jsonl there has a line for each.")
    if failed:
        sys.exit(1)
