"""Serve the page on this computer, until Ctrl-C.

    habn serve --port 8000
    habn serve --first mynetworks:bn --second mynetworks:adaptive

The networks are part of the package, so the page works offline. docs/own-networks.md is on networks of your own.
"""

import argparse
import os

from habn.commands import end_with_a_sentence
from habn.errors import HabnError
from habn.serving.process import prepare


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: serve(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="habn serve", description=__doc__.split("\n\n")[0])
    parser.add_argument("--port", help="7860, or PORT of the environment, unless given")
    parser.add_argument("--host", help="the address to listen on; 0.0.0.0 lets other computers in")
    parser.add_argument("--first", help="a network to show: a shipped name, a folder, a Hub id, module:factory")
    parser.add_argument("--second", help="the network beside it; the same one unless given")
    parser.add_argument("--device", help="cpu, cuda or cuda:1; CUDA where there is one")
    return parser


def serve(args: argparse.Namespace) -> None:
    if args.second and not args.first:
        raise HabnError("--second stands beside a first network; give --first too.")
    networks = ";".join(name for name in (args.first, args.second) if name)
    given = {"PORT": args.port, "HABN_HOST": args.host, "HABN_NETWORKS": networks, "HABN_DEVICE": args.device}
    # Read when the page is imported, built or launched, as those of a container or a Space are.
    os.environ.update({name: value for name, value in given.items() if value})
    prepare()
    from habn.ui.serving import build_demo, launch

    launch(build_demo())


if __name__ == "__main__":
    main()
