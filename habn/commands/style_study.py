"""Train and measure normalizations of CFA-Net with the same seeds, data order and steps, and write what was found.

    python -m habn.study.style --root DIR --squeezenet FILE --variants bn in habn habn-plus adain --seeds 0 1 2 \\
        --steps 1500 --run runs/styles --results results/styles-scratch.json

A study can be stopped at any time; the same command continues it. The first variant is the baseline of all differences.
``--ablate`` measures its trained HABN networks once more with parts of their adaptation turned off.
"""

import argparse
import sys

from habn.commands.flags import parse, read_flags
from habn.commands.study_arguments import build_study_parser, check_common_arguments, compare_or_ablate, run_command
from habn.errors import HabnError
from habn.results import Study
from habn.study.stylization import StylePlan, StyleRuns
from habn.study.variants import STYLE_VARIANTS
from habn.training.style import WEIGHT_DECAY, StyleRecipe
from habn.training.task import TrainingOptions


def main(arguments: list[str] | None = None) -> None:
    args = parse(build_parser(), arguments, sys.argv[1:])
    run_command(lambda: study(args), args.results)


def build_parser() -> argparse.ArgumentParser:
    return build_study_parser(
        "python -m habn.study.style",
        __doc__.split("\n\n")[0],
        (StylePlan, StyleRecipe),
        STYLE_VARIANTS,
        list(STYLE_VARIANTS),
        learning_rate=2e-3,
        precision="bfloat16",
        title=("Style transfer: eight paintings", "Transferencia de estilo: ocho cuadros"),
        question=(
            "Which normalization paints photographs most like the paintings, and what does that cost the photograph?",
            "¿Con qué normalización se parecen más las fotos a los cuadros y cuánto pierde la fotografía?",
        ),
    )


def study(args: argparse.Namespace) -> Study | None:
    check_common_arguments(args, STYLE_VARIANTS)
    if args.photos < 1:
        raise HabnError("--photos must be at least 1.")
    runs = StyleRuns(build_plan(args), args.run, baseline=args.variants[0])
    return compare_or_ablate(runs, args, build_parser())


def build_plan(args: argparse.Namespace) -> StylePlan:
    options = read_flags(args, TrainingOptions, weight_decay=WEIGHT_DECAY)
    return read_flags(args, StylePlan, recipe=read_flags(args, StyleRecipe), options=options)


if __name__ == "__main__":
    main()
