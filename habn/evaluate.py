"""Measure a segmentation checkpoint.

    python -m habn.evaluate --checkpoint DIR --data camvid --root DIR --split test

Prints one JSON line: mean_iou and class_iou in percent, parameters, and seconds for the whole split.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import torch

from habn.checkpoints import CheckpointError, load_checkpoint
from habn.data import SPLITS, load_segmentation
from habn.layers import parameter_overhead
from habn.training.segmentation import describe_segmentation, evaluate_segmentation


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m habn.evaluate", description=__doc__.split("\n\n")[0])
    parser.add_argument("--checkpoint", required=True, help="a folder or a Hub id")
    parser.add_argument("--data", default="scenes", help="scenes, camvid or cityscapes")
    parser.add_argument("--root", type=Path, help="the folder of the data set; scenes are drawn and need none")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    try:
        if args.device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError("This machine has no CUDA device; leave out --device or give --device cpu.")
        print(json.dumps(evaluate(args)))
    except (CheckpointError, ValueError) as error:  # DataError is a ValueError
        sys.exit(f"error: {error}")


def evaluate(args: argparse.Namespace) -> dict:
    network = load_checkpoint(args.checkpoint).to(args.device, memory_format=torch.channels_last)
    if network.name != "spvcnn":
        raise ValueError(f"{args.checkpoint} is a {network.name}; this command measures segmentation.")
    data = load_segmentation(args.data, args.root, args.split).to(torch.device(args.device))
    if len(data.classes) != network.config["num_classes"]:
        raise ValueError(
            f"{args.checkpoint} knows {network.config['num_classes']} classes, {args.data} has {len(data.classes)}."
        )
    started = time.perf_counter()
    with torch.inference_mode():
        figures = describe_segmentation(evaluate_segmentation(network, data), data.classes)
    seconds = round(time.perf_counter() - started, 2)
    where = {"checkpoint": args.checkpoint, "data": args.data, "split": args.split, "pictures": len(data.images)}
    return {**where, **figures, "parameters": parameter_overhead(network).total, "seconds": seconds}


if __name__ == "__main__":
    main()
