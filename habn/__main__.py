"""Every command of the project: `python -m habn COMMAND ...`; `python -m habn COMMAND --help` says what it needs."""

import argparse
from importlib import import_module

COMMANDS = {
    "train": "train a network for segmentation or for style transfer",
    "evaluate": "measure checkpoints",
    "study": "train and measure normalizations of SPVCNN with the same seeds, data and steps",
    "style_study": "the same of CFA-Net",
    "tables": "print the tables of results/*.json, or put them into a file",
    "style_sheets": "paint photos in every style by every network",
    "benchmark": "how long each normalization takes, as a multiple of batch normalization",
}
"""Modules of `habn.commands`, and what they do. Only the one that is asked for is imported."""


def main(arguments: list[str] | None = None) -> None:
    listed = "\n".join(f"  {name:14}{text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m habn",
        description=f"{__doc__}\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="of the command")
    args = parser.parse_args(arguments)
    import_module(f"habn.commands.{args.command}").main(args.arguments)


if __name__ == "__main__":
    main()
