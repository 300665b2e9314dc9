"""Train and measure normalizations with the same seeds, data order and steps, and write what was found.

    python -m habn.study --data camvid --root DIR --trunk CHECKPOINT --variants bn habn habn-plus --seeds 0 1 2 \\
        --steps 800 --run runs/branched --results results/camvid-branched.json

A study can be stopped at any time; the same command continues it. The first variant is the baseline of all differences.
``--ablate`` measures the trained HABN networks of a study once more with parts of their adaptation turned off.
"""

import argparse
from pathlib import Path

from habn.commands.study_arguments import (
    add_common_arguments,
    check_common_arguments,
    compare_or_ablate,
    run_command,
    training_options,
)
from habn.data import SPLITS
from habn.errors import HabnError
from habn.results import Study
from habn.study.segmentation import SegmentationPlan, SegmentationRuns
from habn.study.variants import VARIANTS
from habn.training.segmentation import SegmentationRecipe


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    run_command(lambda: study(args), args.results)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn.study", description=__doc__.split("\n\n")[0])
    parser.add_argument("--data", default="scenes", help="scenes, camvid or cityscapes")
    parser.add_argument("--root", type=Path, help="the folder of the data set; scenes are drawn and need none")
    parser.add_argument("--split", default="test", choices=SPLITS, help="what is measured on")
    add_common_arguments(parser, VARIANTS, ["bn", "habn", "habn-plus"])
    parser.add_argument("--crop", type=int, nargs=2, default=(192, 256), metavar=("H", "W"))
    parser.add_argument("--scale", type=float, nargs=2, default=SegmentationRecipe.scale, metavar=("LOW", "HIGH"))
    parser.add_argument("--with-scenes", type=int, default=0, metavar="N", help="drawn scenes to train on besides")
    parser.add_argument("--facade", type=Path, metavar="DIR", help="the folder of LabelMeFacade, to train on besides")
    parser.add_argument("--facade-share", type=int, default=3, metavar="N", help="crops of a batch that are from there")
    parser.add_argument("--teacher", type=Path, help="a checkpoint that sees what LabelMeFacade's labels lack")
    parser.add_argument("--early-steps", type=int, default=0, help="so many steps begin on crops of half the size")
    parser.add_argument("--with-val", action="store_true", help="train on val too")
    parser.add_argument("--weather", action="store_true", help="lay changes of light over half of the crops")
    parser.add_argument("--weather-every", type=int, metavar="K", help="measure every K-th picture under weather too")
    parser.set_defaults(
        title=("Segmentation", "Segmentación"),
        question=("What does the normalization change?", "¿Qué cambia la normalización?"),
    )
    return parser


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
    recipe = SegmentationRecipe(
        batch_size=args.batch_size,
        crop=tuple(args.crop),
        scale=tuple(args.scale),
        weather=args.weather,
        early_steps=args.early_steps,
        facade=args.facade_share if args.facade else 0,
    )
    return SegmentationPlan(
        data=args.data,
        root=args.root,
        split=args.split,
        recipe=recipe,
        options=training_options(args),
        scenes=args.with_scenes,
        with_val=args.with_val,
        trunk=args.trunk,
        weather_every=args.weather_every,
        facade=args.facade,
        teacher=args.teacher,
        device=args.device,
    )


if __name__ == "__main__":
    main()
