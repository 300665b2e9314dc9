"""Train a network: ``python -m habn.train segmentation --help``, ``python -m habn.train style --help``.

A run lives in a folder (``--run``): state, averaged weights, log and preview. The same command continues it. A
*branched* pair shares a trunk: either one schedule that is stopped half-way and continued with all else unchanged,

    python -m habn.train segmentation --steps 2000 --norm bn --stop-at 1000 --run runs/trunk
    python -m habn.train segmentation --steps 2000 --norm bn --branch-from runs/trunk --run runs/bn
    python -m habn.train segmentation --steps 2000 --norm habn --branch-from runs/trunk --run runs/habn

or a finished checkpoint from which both start anew (``--start-from``).
"""

import argparse
import logging
import sys
from dataclasses import fields
from pathlib import Path

import torch

from habn.checkpoints import save_checkpoint
from habn.checkpoints.card import write_card
from habn.checkpoints.metadata import segmentation_metadata, style_metadata
from habn.commands import end_with_a_sentence
from habn.commands.flags import add_flags, parse, read_flags
from habn.data import load_segmentation
from habn.data.styles import PHOTO_ROW
from habn.errors import HabnError
from habn.layers.normalization import NORM_LABELS
from habn.networks import build_network
from habn.networks.network import Network
from habn.study.segmentation import SegmentationPlan
from habn.study.stylization import StylePlan
from habn.training.conditions import begin_or_continue
from habn.training.loop import fit
from habn.training.segmentation import (
    SegmentationRecipe,
    build_segmentation_task,
    describe_segmentation,
    evaluate_segmentation,
)
from habn.training.start import describe_start, finish, start_from, trunk_digest
from habn.training.state import STATE
from habn.training.style import LEAST_GATE, WEIGHT_DECAY, StyleRecipe, build_style_task
from habn.training.task import TrainingOptions, check_device, default_device, options_dict

log = logging.getLogger(__name__)

STUDY_ONLY = ("split", "trunk", "photos", "weather_every", "facade", "teacher")
"""Settings of a plan that a single training does not have."""


def main(arguments: list[str] | None = None) -> None:
    args = parse(build_parser(), arguments, sys.argv[1:])
    end_with_a_sentence(
        lambda: train(args), f"Stopped; the same command continues {args.run} from its last validation."
    )


def train(args: argparse.Namespace) -> None:
    check_arguments(args)
    train_segmentation(args) if args.task == "segmentation" else train_style(args)


def check_arguments(args: argparse.Namespace) -> None:
    """Refuse what would fail only later.

    Raises:
        HabnError: one sentence on the argument and what to do.
    """
    if args.search and not args.norm.startswith("habn"):
        raise HabnError(
            f"--search learns HABN's gates, which {args.norm} does not have; add --norm habn or leave it out."
        )
    if args.search == "bilevel" and args.task == "style":
        raise HabnError("A bilevel search holds out labelled pictures; for style give --search joint.")
    stop_at = args.steps if args.stop_at is None else args.stop_at
    if min(args.steps, args.batch_size, args.evaluate_every, stop_at) < 1:
        raise HabnError("--steps, --stop-at, --batch-size and --evaluate-every must be at least 1.")
    if args.task == "segmentation" and args.with_val and args.data == "cityscapes":
        raise HabnError("Cityscapes is measured on val, since the labels of test are not public; leave out --with-val.")
    if args.start_from is not None and (args.branch_from is not None or args.norm == "adain"):
        raise HabnError(
            "--start-from goes neither with --branch-from nor with adain, which has codes in place of a style's scales."
        )
    if args.stop_at is not None and (args.checkpoint is not None or args.stop_at > args.steps):
        raise HabnError("--stop-at ends a schedule early, for others to branch from: at most --steps, no --checkpoint.")
    if args.branch_from is not None and not (args.branch_from / STATE).is_file():
        raise HabnError(
            f"{args.branch_from} holds no {STATE}; give the folder of a run that was stopped with --stop-at."
        )
    check_device(args.device)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn.train", description=__doc__.split("\n\n")[0])
    tasks = parser.add_subparsers(dest="task", required=True)
    segmentation = tasks.add_parser("segmentation", help="SPVCNN on scenes, CamVid or Cityscapes")
    style = tasks.add_parser("style", help="CFA-Net on photographs and paintings")
    labelled = [norm for norm in NORM_LABELS if norm != "adain"]  # whose codes are of styles
    kinds = (
        (segmentation, SegmentationPlan, SegmentationRecipe, labelled),
        (style, StylePlan, StyleRecipe, list(NORM_LABELS)),
    )
    for task, plan, recipe, norms in kinds:
        task.add_argument("--recipe", metavar="FILE", help="a TOML file: the flags that it holds")
        task.add_argument("--norm", default="bn", choices=norms, metavar="NORM", help=", ".join(norms))
        add_flags(task, plan, but=STUDY_ONLY, device=default_device())
        add_flags(task, recipe, but=("facade",))
        add_flags(task, TrainingOptions)
        task.add_argument("--run", type=Path, required=True, help="the folder of the run; an existing run is continued")
        task.add_argument("--start-from", type=Path, help="a checkpoint whose weights a new run starts with")
        task.add_argument("--branch-from", type=Path, help="the folder of a run that was stopped with --stop-at")
        task.add_argument("--checkpoint", type=Path, help="where the finished checkpoint goes")
    return parser


def training_options(args: argparse.Namespace) -> TrainingOptions:
    decay = WEIGHT_DECAY if args.task == "style" else TrainingOptions.weight_decay
    return read_flags(args, TrainingOptions, weight_decay=decay)


def train_segmentation(args: argparse.Namespace) -> None:
    device = torch.device(args.device)
    task = build_segmentation_task(
        args.data,
        args.root,
        read_flags(args, SegmentationRecipe),
        args.with_scenes,
        args.with_val,
        args.search == "bilevel",
        device,
    )
    network = run(args, build(args, "spvcnn", num_classes=len(task.train.classes)).to(device), task)
    if network is None:
        return
    # Cityscapes keeps its test labels to itself.
    split = "val" if args.data == "cityscapes" else "test"
    held_out = load_segmentation(args.data, args.root, split).to(device)
    metrics = {split: describe_segmentation(evaluate_segmentation(network, held_out), held_out.classes)}
    metadata = segmentation_metadata(args.data, held_out.classes, task.recipe, how_trained(args), metrics)
    save(network, args, metadata)


def train_style(args: argparse.Namespace) -> None:
    device = torch.device(args.device)
    task = build_style_task(args.root, args.squeezenet, read_flags(args, StyleRecipe), device)
    network = run(args, build(args, "cfanet", num_styles=PHOTO_ROW + 1).to(device), task)
    if network is None:
        return
    save(network, args, style_metadata(task.recipe, how_trained(args), task.evaluate(network)))


def save(network: Network, args: argparse.Namespace, metadata: dict) -> None:
    """Write the finished checkpoint, and say where it is."""
    save_checkpoint(network, args.checkpoint, metadata, write_card(network, metadata, args.checkpoint.resolve().name))
    print(f"The checkpoint is in {args.checkpoint}; habn evaluate --checkpoint {args.checkpoint} measures it again.")


def build(args: argparse.Namespace, name: str, **config) -> torch.nn.Module:
    torch.manual_seed(args.seed)
    network = build_network(name, args.norm, {"search": True} if args.search else None, **config)
    if args.start_from is not None:
        start_from(network, args.start_from)
    return network


def run(args: argparse.Namespace, network: torch.nn.Module, task) -> torch.nn.Module | None:
    """Train; the network as it will be saved when the schedule is finished and a checkpoint is wanted."""
    options = training_options(args)
    begin_or_continue(args.run, conditions(args), begun=(args.run / STATE).is_file())
    outcome = fit(network, task, options, args.run, args.branch_from)
    log.info("step %d, %.0f s", outcome.step, outcome.seconds)
    if not outcome.finished or args.checkpoint is None:
        print(
            f"The run is in {args.run}; "
            + (
                "the same command with --checkpoint DIR writes the network."
                if outcome.finished
                else "the same command continues it."
            )
        )
        return None
    return finish(network, args.run, options, least_gate(args))


def least_gate(args: argparse.Namespace) -> float:
    """Gates of a search that are less open at its end are closed."""
    return LEAST_GATE if args.task == "style" else 0.5


def conditions(args: argparse.Namespace) -> dict:
    """All that a run depends on beside code, machine and the place of its data."""
    names = ["task", "norm", "batch_size"]
    if args.task == "segmentation":
        names += ["data", "crop", "with_scenes", "with_val", "weather"]
    recipe: SegmentationRecipe | StyleRecipe
    recipe = read_flags(args, SegmentationRecipe) if args.task == "segmentation" else read_flags(args, StyleRecipe)
    chosen = {own.name: getattr(recipe, own.name) for own in fields(recipe) if own.name not in names}
    return {
        **{name: getattr(args, name) for name in names},
        **{name: value for name, value in chosen.items() if value != getattr(type(recipe), name)},
        "options": options_dict(training_options(args)),
        "trunk": trunk_digest(args.start_from, args.branch_from),
    }


def how_trained(args: argparse.Namespace) -> dict:
    """Start, trunk and options of a run, for the metadata of its checkpoint."""
    extra = {}
    if args.task == "segmentation":
        extra = {"with_scenes": args.with_scenes, "with_val": args.with_val}
    if args.search:
        extra["least_gate"] = least_gate(args)
    trunk = trunk_digest(args.start_from, args.branch_from)
    start = describe_start(args.start_from)
    return {"start": start, "trunk": trunk, "training": {**extra, **options_dict(training_options(args))}}


if __name__ == "__main__":
    main()
