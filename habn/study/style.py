"""Train and measure normalizations of CFA-Net with the same seeds, data order and steps, and write what was found.

    python -m habn.study.style --root DIR --squeezenet FILE --variants bn in habn habn-plus adain --seeds 0 1 2 \\
        --steps 1500 --run runs/styles --results results/styles-scratch.json

A study can be stopped at any time; the same command continues it. The first variant is the baseline of all differences.
"""

import argparse
from pathlib import Path

from habn.data import SPLITS
from habn.results import Study
from habn.study.command import (
    add_common_arguments,
    check_common_arguments,
    compare,
    describe_study,
    run_command,
)
from habn.study.stylization import StylePlan, StyleRuns
from habn.study.variants import STYLE_VARIANTS
from habn.training.style import StyleRecipe
from habn.training.style_evaluation import PHOTOS
from habn.training.task import TrainingOptions


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
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--weight-decay", type=float, default=1e-4)
    parser.add_argument("--precision", choices=("float32", "bfloat16"), default="bfloat16")
    parser.add_argument("--evaluate-every", type=int, default=500)
    parser.set_defaults(
        title=("Style transfer: eight paintings", "Transferencia de estilo: ocho cuadros"),
        question=(
            "Which normalization paints photographs most like the paintings, and what does that cost the photograph?",
            "¿Con qué normalización se parecen más las fotos a los cuadros y cuánto pierde la fotografía?",
        ),
    )
    return parser


def study(args: argparse.Namespace) -> Study | None:
    check_common_arguments(args)
    if min(args.steps, args.batch_size, args.evaluate_every, args.photos) < 1:
        raise ValueError("--steps, --batch-size, --evaluate-every and --photos must be at least 1.")
    runs = StyleRuns(build_plan(args), args.run, baseline=args.variants[0])
    return compare(runs, args, describe_study(runs, args, build_parser()))


def build_plan(args: argparse.Namespace) -> StylePlan:
    options = TrainingOptions(
        steps=args.steps,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        evaluate_every=args.evaluate_every,
        precision=args.precision,
    )
    return StylePlan(
        root=args.root,
        squeezenet=args.squeezenet,
        split=args.split,
        photos=args.photos,
        recipe=StyleRecipe(batch_size=args.batch_size),
        options=options,
        trunk=args.trunk,
        device=args.device,
    )


if __name__ == "__main__":
    main()
