"""Train and measure normalizations of CFA-Net with the same seeds, data order and steps, and write what was found.

    python -m habn.study.style --root DIR --squeezenet FILE --variants bn in habn habn-plus adain --seeds 0 1 2 \\
        --steps 1500 --run runs/styles --results results/styles-scratch.json

A study can be stopped at any time; the same command continues it. The first variant is the baseline of all differences.
``--ablate`` measures its trained HABN networks once more with parts of their adaptation turned off.
"""

import argparse
from dataclasses import replace
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
from habn.study.stylization import StylePlan, StyleRuns
from habn.study.variants import STYLE_VARIANTS
from habn.training.style import WEIGHT_DECAY, StyleRecipe
from habn.training.style_evaluation import PHOTOS


def main(arguments: list[str] | None = None) -> None:
    args = build_parser().parse_args(arguments)
    run_command(lambda: study(args), args.results)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m habn.study.style", description=__doc__.split("\n\n")[0])
    parser.add_argument("--root", type=Path, required=True, help="holds content/{train,val,test} and styles")
    parser.add_argument("--squeezenet", type=Path, required=True, help="SqueezeNet 1.1 features, a safetensors file")
    parser.add_argument("--split", default="test", choices=SPLITS, help="what is measured on")
    parser.add_argument("--photos", type=int, default=PHOTOS, metavar="N", help="of the split, evenly spread")
    add_common_arguments(parser, STYLE_VARIANTS, list(STYLE_VARIANTS))
    parser.add_argument("--zoom", type=float, nargs=2, default=StyleRecipe.zoom, metavar=("LOW", "HIGH"))
    parser.add_argument("--early-steps", type=int, default=0, help="so many steps begin on smaller crops")
    parser.set_defaults(
        learning_rate=2e-3,
        precision="bfloat16",
        title=("Style transfer: eight paintings", "Transferencia de estilo: ocho cuadros"),
        question=(
            "Which normalization paints photographs most like the paintings, and what does that cost the photograph?",
            "¿Con qué normalización se parecen más las fotos a los cuadros y cuánto pierde la fotografía?",
        ),
    )
    return parser


def study(args: argparse.Namespace) -> Study | None:
    check_common_arguments(args, STYLE_VARIANTS)
    if args.photos < 1:
        raise HabnError("--photos must be at least 1.")
    runs = StyleRuns(build_plan(args), args.run, baseline=args.variants[0])
    return compare_or_ablate(runs, args, build_parser())


def build_plan(args: argparse.Namespace) -> StylePlan:
    return StylePlan(
        root=args.root,
        squeezenet=args.squeezenet,
        split=args.split,
        photos=args.photos,
        recipe=StyleRecipe(batch_size=args.batch_size, zoom=tuple(args.zoom), early_steps=args.early_steps),
        options=replace(training_options(args), weight_decay=WEIGHT_DECAY),
        trunk=args.trunk,
        device=args.device,
    )


if __name__ == "__main__":
    main()
