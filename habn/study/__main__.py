"""Train and measure normalizations with the same seeds, data order and steps, and write what was found.

    python -m habn.study --data camvid --root DIR --trunk CHECKPOINT --variants bn habn habn-plus --seeds 0 1 2 \\
        --steps 800 --run runs/branched --results results/camvid-branched.json

A study can be stopped at any time; the same command continues it. The first variant is the baseline of all differences.
``--ablate`` measures the trained HABN networks of a study once more with parts of their adaptation turned off.
"""

import argparse
import itertools
import sys
import time
from dataclasses import replace
from pathlib import Path

import torch

from habn.checkpoints import load_checkpoint
from habn.data import SPLITS
from habn.intervention import Intervention
from habn.results import Study, save_study
from habn.study.collecting import build_row, collect, describe, sizes_of
from habn.study.measuring import measure_intervened
from habn.study.runs import CHECKPOINT, Plan, StudyRuns
from habn.study.variants import ABLATIONS, SOFT_GATES, VARIANTS
from habn.training.segmentation import SegmentationRecipe
from habn.training.task import TrainingOptions


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    try:
        check_arguments(args)
        runs = StudyRuns(build_plan(args), args.run, baseline=args.variants[0])
        study = ablate(runs, args) if args.ablate else compare(runs, args)
        if study is None:
            print("No seed is through with all variants yet, so there is nothing to compare.")
        elif args.results is not None:
            save_study(study, args.results.parent)
    except ValueError as error:  # as CheckpointError, DataError and ResultError are
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit("Stopped; the same command continues the study.")


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn.study", description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", default="scenes", help="scenes, camvid or cityscapes")
    parser.add_argument("--root", type=Path, help="the folder of the data set; scenes are drawn and need none")
    parser.add_argument("--split", default="test", choices=SPLITS, help="what is measured on")
    parser.add_argument("--trunk", type=Path, help="the BN checkpoint from which all branch; none: from scratch")
    parser.add_argument("--variants", nargs="+", default=["bn", "habn", "habn-plus"], choices=VARIANTS, metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--steps", type=int, required=True, help="of each run, in batches")
    parser.add_argument("--batch-size", type=int, default=8)
    parser.add_argument("--crop", type=int, nargs=2, default=(192, 256), metavar=("H", "W"))
    parser.add_argument("--scale", type=float, nargs=2, default=SegmentationRecipe.scale, metavar=("LOW", "HIGH"))
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--with-scenes", type=int, default=0, metavar="N", help="drawn scenes to train on besides")
    parser.add_argument("--with-val", action="store_true", help="train on val too")
    parser.add_argument("--weather", action="store_true", help="lay changes of light over half of the crops")
    parser.add_argument("--weather-every", type=int, metavar="K", help="measure every K-th picture under weather too")
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--evaluate-every", type=int, default=400)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--minutes", type=float, help="stop cleanly after this time; the same command continues")
    parser.add_argument("--ablate", action="store_true", help="measure trained HABN networks with parts turned off")
    parser.add_argument("--run", type=Path, required=True, help="the folder of the study")
    parser.add_argument("--results", type=Path, help="the file to write")
    parser.add_argument("--title", nargs=2, default=("Segmentation", "Segmentación"), metavar=("EN", "ES"))
    parser.add_argument(
        "--question",
        nargs=2,
        default=("What does the normalization change?", "¿Qué cambia la normalización?"),
        metavar=("EN", "ES"),
    )
    return parser


def check_arguments(args: argparse.Namespace) -> None:
    """Refuse what would fail only later.

    Raises:
        ValueError: one sentence on the argument and what to do.
    """
    if args.trunk is not None and "in" in args.variants:
        raise ValueError("IN has no running statistics to take from a BN trunk; leave out --trunk or the variant in.")
    if args.ablate and not VARIANTS[args.variants[0]].norm.startswith("habn"):
        raise ValueError("--ablate turns parts of HABN off; name one of its variants first, such as habn-plus.")
    if args.device.startswith("cuda") and not torch.cuda.is_available():
        raise ValueError("This machine has no CUDA device; leave out --device or give --device cpu.")
    if min(args.steps, args.batch_size, args.evaluate_every, args.weather_every or 1) < 1:
        raise ValueError("--steps, --batch-size, --evaluate-every and --weather-every must be at least 1.")


def build_plan(args: argparse.Namespace) -> Plan:
    recipe = SegmentationRecipe(
        batch_size=args.batch_size, crop=tuple(args.crop), scale=tuple(args.scale), weather=args.weather
    )
    options = TrainingOptions(
        steps=args.steps,
        learning_rate=args.learning_rate,
        evaluate_every=args.evaluate_every,
        precision=args.precision,
    )
    return Plan(
        args.data,
        args.root,
        args.split,
        recipe,
        options,
        args.with_scenes,
        args.with_val,
        args.trunk,
        weather_every=args.weather_every,
        device=args.device,
    )


def compare(runs: StudyRuns, args: argparse.Namespace) -> Study | None:
    """Train and measure all variants, seed by seed, as far as the time allows; what can be compared."""
    started = time.monotonic()
    for seed, name in itertools.product(args.seeds, args.variants):
        left = None if args.minutes is None else args.minutes - (time.monotonic() - started) / 60
        if (left is not None and left <= 0) or not runs.run(name, seed, left):
            print("Time is up; the same command continues the study.")
            break
        print(f"{name}, seed {seed}: {runs.measured(name, seed)['clean']['mean_iou']:.2f} % mIoU", flush=True)
    return collect(runs, args.variants, head(runs, args))


def ablate(runs: StudyRuns, args: argparse.Namespace) -> Study:
    """Measure trained networks of the first variant again, under each of ABLATIONS; what was found."""
    name = args.variants[0]
    networks = [load_checkpoint(runs.folder / name / str(seed) / CHECKPOINT) for seed in args.seeds]
    rows = []
    for setting, intervention in ABLATIONS.items():
        values = [round(measure_intervened(network, runs.held_out, intervention), 2) for network in networks]
        rows.append(build_row(name, args.seeds, values, sizes_of(networks[0]), setting))
        print(f"{setting or 'as trained'}: {values}", flush=True)
    if VARIANTS[name].search:
        searched = [runs.with_soft_gates(name, seed) for seed in args.seeds]
        values = [round(measure_intervened(network, runs.held_out, Intervention()), 2) for network in searched]
        rows.append(build_row(name, args.seeds, values, sizes_of(searched[0]), SOFT_GATES))
    return replace(head(runs, args), epochs=runs.measured(name, args.seeds[0])["epochs"], rows=tuple(rows))


def head(runs: StudyRuns, args: argparse.Namespace) -> Study:
    """What stands at the head of the study."""
    name = args.results.stem if args.results else args.run.name
    return describe(runs, name, languages(args.title), languages(args.question), command_of(args))


def languages(texts: tuple[str, str]) -> dict[str, str]:
    return dict(zip(("en", "es"), texts, strict=True))


def command_of(args: argparse.Namespace) -> str:
    """The command that makes a result again, with DIR for the folder of the data and names for the other folders."""
    words, parser = ["python -m habn.study"], build_parser()
    for name, value in vars(args).items():
        if name in ("minutes", "title", "question") or value in (None, False) or value == parser.get_default(name):
            continue
        flag = "--" + name.replace("_", "-")
        if name == "root":
            value = "DIR"
        elif isinstance(value, Path):
            value = f"{value.parent.name}/{value.name}".lstrip("/")
        elif isinstance(value, list | tuple):
            value = " ".join(map(str, value))
        words.append(flag if value is True else f"{flag} {value}")
    return " ".join(words)


if __name__ == "__main__":
    main()
