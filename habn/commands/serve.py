"""Serve the page on this computer, until Ctrl-C.

    habn serve --port 8000

The networks are part of the package, so the page works offline.
"""

import argparse
import os

from habn.commands import end_with_a_sentence


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: serve(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="habn serve", description=__doc__.split("\n\n")[0])
    parser.add_argument("--port", help="7860, or PORT of the environment, unless given")
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 lets other computers in")
    return parser


def serve(args: argparse.Namespace) -> None:
    # Read when the page is imported, built or launched, as those of a container or a Space are.
    os.environ.update({name: value for name, value in (("PORT", args.port), ("HABN_HOST", args.host)) if value})
    from habn.ui.serving import build_demo, launch

    launch(build_demo())


if __name__ == "__main__":
    main()
