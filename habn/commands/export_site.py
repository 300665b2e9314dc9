"""Write the page as a folder that any static host serves, under any path: the networks run in the visitor's browser.

    habn export-site site
    python -m http.server --directory site

Needs npm, which fetches ONNX Runtime Web, and the extra `export`. deploy/README.md says how the folder is published.
"""

import argparse
import sys
import time
from pathlib import Path

from habn.commands import end_with_a_sentence
from habn.ui.site import building


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: export_site(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="habn export-site", description=__doc__.split("\n\n")[0])
    parser.add_argument("folder", type=Path, metavar="DIR", help="is made if missing; what is there is written over")
    return parser


def export_site(args: argparse.Namespace) -> None:
    count, done, began = building.steps(), 0, time.monotonic()

    def progress(what: str) -> None:
        nonlocal done
        done += 1
        print(f"[{done}/{count}] {time.monotonic() - began:4.0f} s  {what}", file=sys.stderr, flush=True)

    building.build_site(args.folder, progress)
    size = sum(path.stat().st_size for path in args.folder.rglob("*") if path.is_file())
    print(f"{args.folder}  {size / 1e6:.0f} MB; look at it: python -m http.server --directory {args.folder}")


if __name__ == "__main__":
    main()
