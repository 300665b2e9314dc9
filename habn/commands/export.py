"""Export a checkpoint to another runtime, with its adaptation as inputs and what every layer did as outputs.

    python -m habn export --to onnx checkpoints/spvcnn-habn-plus-camvid out

Writes model.onnx (the answer), layers.onnx (the answer and every layer's x, y, s and factors) and network.json (names,
layers, classes or styles). Both are run in ONNX Runtime and held against PyTorch before the command ends.
docs/onnx.md shows how they are used.
"""

import argparse
from pathlib import Path

from habn.checkpoints import open_checkpoint
from habn.commands import end_with_a_sentence
from habn.export import files


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    end_with_a_sentence(lambda: export_checkpoint(args))


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn export", description=__doc__.split("\n\n")[0])
    parser.add_argument("--to", choices=["onnx"], required=True, metavar="RUNTIME", help="onnx")
    parser.add_argument("checkpoint", help="a folder or a Hub id")
    parser.add_argument("folder", type=Path, metavar="DIR", help="is made if missing")
    return parser


def export_checkpoint(args: argparse.Namespace) -> None:
    exported = files.export(open_checkpoint(args.checkpoint))
    difference = files.check(exported)
    print(f"At most {difference:.1e} off PyTorch, of each output's largest value.")
    for path in files.write(exported, args.folder):
        print(f"{path}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
