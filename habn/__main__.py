"""Every command of the project: `habn COMMAND ...`; `habn COMMAND --help` says what it needs."""

import argparse
import os
from importlib import import_module

COMMANDS = {
    "serve": "serve the page on this computer",
    "segment": "name what is where in photos",
    "paint": "repaint photos in the manner of paintings",
    "inspect": "show what every layer of two networks does to a photo",
    "train": "train a network for segmentation or for style transfer",
    "evaluate": "measure checkpoints",
    "study": "train and measure normalizations of SPVCNN with the same seeds, data and steps",
    "style_study": "the same of CFA-Net",
    "tables": "print the tables of results/*.json, or put them into a file",
    "style_sheets": "paint photos in every style by every network",
    "export": "write a checkpoint for another runtime (ONNX), and hold it against PyTorch",
    "export_site": "write the page as a folder for any static host; the networks run in the browser",
    "first_view": "choose what the page opens on, by the largest honest difference among the examples",
    "street_confidence": "measure how sure the networks are on streets and on other photographs",
    "benchmark": "how long each normalization takes, as a multiple of batch normalization",
}
"""Modules of `habn.commands`, and what they do. Only the one that is asked for is imported."""


def main(arguments: list[str] | None = None) -> None:
    # Waiting OpenMP threads that spin stall every other process on the machine; torch reads this when it is imported.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    width = max(map(len, COMMANDS)) + 2
    listed = "\n".join(f"  {name:{width}}{text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="habn",
        description=f"{__doc__}\n\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", type=lambda name: name.replace("-", "_"), choices=COMMANDS, metavar="COMMAND")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="of the command")
    args = parser.parse_args(arguments)
    import_module(f"habn.commands.{args.command}").main(args.arguments)


if __name__ == "__main__":
    main()
