"""Train and measure normalizations with the same seeds, data order and steps, and write what was found.

    python -m habn.study --data camvid --root DIR --trunk CHECKPOINT --variants bn habn habn-plus --seeds 0 1 2 \\
        --steps 800 --run runs/branched --results results/camvid-branched.json
    python -m habn.study --recipe camvid-scratch-long --root DIR --run runs/long

A study can be stopped at any time; the same command continues it. The first variant is the baseline of all differences.
``--ablate`` measures the trained HABN networks of a study once more with parts of their adaptation turned off.
"""

import argparse
import sys

from habn.commands.flags import parse, read_flags
from habn.commands.study_arguments import build_study_parser, check_common_arguments, compare_or_ablate, run_command
from habn.errors import HabnError
from habn.results import Study
from habn.study.segmentation import SegmentationPlan, SegmentationRuns
from habn.study.variants import VARIANTS
from habn.training.segmentation import SegmentationRecipe
from habn.training.task import TrainingOptions


def main(arguments: list[str] | None = None) -> None:
    args = parse(build_parser(), arguments, sys.argv[1:])
    run_command(lambda: study(args), args.results)


def build_parser() -> argparse.ArgumentParser:
    return build_study_parser(
        "python -m habn.study",
        __doc__.split("\n\n")[0],
        (SegmentationPlan, SegmentationRecipe),
        VARIANTS,
        ["bn", "habn", "habn-plus"],
        facade_share=3,
        title=("Segmentation", "Segmentación"),
        question=("What does the normalization change?", "¿Qué cambia la normalización?"),
    )


def check_arguments(args: argparse.Namespace) -> None:
    """Refuse what would fail only later.

    Raises:
        HabnError: one sentence on the argument and what to do.
    """
    check_common_arguments(args, VARIANTS)
    if args.with_val and args.split == "val":
        raise HabnError("What is trained on cannot be measured on; leave out --with-val or give --split test.")
    if (args.facade is None) != (args.teacher is None):
        raise HabnError("--facade and --teacher go together: the teacher tells what the labels of --facade lack.")
    if args.facade is not None and not 0 < args.facade_share < args.batch_size:
        raise HabnError("--facade-share must be at least 1 and leave at least one crop of --batch-size.")
    if args.weather_every is not None and args.weather_every < 1:
        raise HabnError("--weather-every must be at least 1.")


def study(args: argparse.Namespace) -> Study | None:
    check_arguments(args)
    runs = SegmentationRuns(build_plan(args), args.run, baseline=args.variants[0])
    return compare_or_ablate(runs, args, build_parser())


def build_plan(args: argparse.Namespace) -> SegmentationPlan:
    recipe = read_flags(args, SegmentationRecipe, facade=args.facade_share if args.facade else 0)
    return read_flags(args, SegmentationPlan, recipe=recipe, options=read_flags(args, TrainingOptions))


if __name__ == "__main__":
    main()
