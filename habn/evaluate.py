"""Measure a segmentation checkpoint.

    python -m habn.evaluate --checkpoint DIR --data camvid --root DIR --split test

Prints one JSON line: mean_iou and class_iou in percent, parameters, and seconds for the whole split. With --results
FILE the checkpoint becomes a row of that file of results, to which every normalization's checkpoint is added in turn,
the BN one first.
"""

import argparse
import json
import sys
import time
from datetime import date
from pathlib import Path

import torch
from torch import nn

from habn.checkpoints import load_checkpoint
from habn.data import SPLITS, load_segmentation
from habn.layers import parameter_overhead
from habn.networks.normalization import NORM_LABELS
from habn.provenance import describe_commit, describe_hardware
from habn.results import Metric, Row, Study, add_rows
from habn.training.segmentation import describe_segmentation, evaluate_segmentation

TITLES = {
    "scenes": {"en": "drawn scenes", "es": "escenas dibujadas"},
    "camvid": {"en": "CamVid", "es": "CamVid"},
    "cityscapes": {"en": "Cityscapes", "es": "Cityscapes"},
}


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m habn.evaluate", description=__doc__.split("\n\n")[0])
    parser.add_argument("--checkpoint", required=True, help="a folder or a Hub id")
    parser.add_argument("--data", default="scenes", help="scenes, camvid or cityscapes")
    parser.add_argument("--root", type=Path, help="the folder of the data set; scenes are drawn and need none")
    parser.add_argument("--split", default="test", choices=SPLITS)
    parser.add_argument("--results", type=Path, metavar="FILE", help="add a row to this file of results")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args(arguments)
    try:
        if args.device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError("This machine has no CUDA device; leave out --device or give --device cpu.")
        print(json.dumps(evaluate(args)))
    except ValueError as error:  # as CheckpointError, DataError and ResultError are
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
    if args.results is not None:
        size = tuple(data.images.shape[2:])
        add_rows(_study(args, network.card, size, _row(network, figures["mean_iou"])), args.results.parent)
    return {**where, **figures, "parameters": parameter_overhead(network).total, "seconds": seconds}


def _row(network: nn.Module, mean_iou: float) -> Row:
    overhead, training = parameter_overhead(network), network.card["training"]
    return Row(
        norm=network.norm,
        label=NORM_LABELS[network.norm],
        setting="",
        seeds=(training["seed"],),
        values=(mean_iou,),
        parameters=overhead.total,
        added=overhead.added,
    )


def _study(args: argparse.Namespace, card: dict, size: tuple[int, int], row: Row) -> Study:
    """The study of the checkpoints that are shipped, with one row."""
    scenes, start = card["training"].get("with_scenes"), card.get("start")
    train = card["data"] + (" (train + val)" if card["training"].get("with_val") else "")
    train += f" and {scenes} drawn scenes" if scenes else ""
    title = TITLES.get(args.data, dict.fromkeys(("en", "es"), args.data))
    where = f"--data {args.data}" + (f" --root DIR --split {args.split}" if args.root else f" --split {args.split}")
    return Study(
        name=args.results.stem,
        title={"en": f"The page's networks on {title['en']}", "es": f"Las redes de la página en {title['es']}"},
        question={
            "en": "What do the networks that this page shows score on pictures that they never saw?",
            "es": "¿Qué resultado obtienen las redes de esta página con imágenes que nunca vieron?",
        },
        protocol="shipped",
        data=args.data,
        split=args.split,
        size=size,
        train=train + (f", from the weights {start['checkpoint']}" if start else ""),
        steps=card["training"]["steps"],
        epochs=None,
        hardware=describe_hardware(torch.cuda.get_device_name() if args.device.startswith("cuda") else None),
        commit=describe_commit(),
        date=date.today().isoformat(),
        command=f"python -m habn.evaluate --checkpoint {args.checkpoint} {where} --results {args.results}",
        metric=Metric("mean_iou", "%", higher_is_better=True),
        baseline="bn",
        rows=(row,),
    )


if __name__ == "__main__":
    main()
