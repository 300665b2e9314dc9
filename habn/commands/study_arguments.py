"""What the commands of both studies share: arguments, the order of the runs, ablations, and the command as text."""

import argparse
import itertools
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from habn.checkpoints import load_checkpoint
from habn.commands import end_with_a_sentence
from habn.commands.flags import add_flags, flag_words, load_recipe
from habn.errors import HabnError
from habn.hooks.intervention import Intervention
from habn.networks import count_parameters
from habn.results import Study, save_study
from habn.results.models import LANGUAGES
from habn.results.provenance import short_path
from habn.study.collecting import build_row, collect, describe
from habn.study.runs import CHECKPOINT, StudyRuns
from habn.study.variants import ABLATIONS, SOFT_GATES, Variant
from habn.training.task import TrainingOptions, check_device, default_device

log = logging.getLogger(__name__)

DELTA_RATE = 10.0
"""Deltas and gates of HABN learn so much faster than weights: they must get away from 0 within a short branch."""


def build_study_parser(
    prog: str,
    description: str,
    kinds: tuple[type, type],
    variants: dict[str, Variant],
    default: list[str],
    **defaults: Any,
) -> argparse.ArgumentParser:
    """The arguments of a study: settings of its plan, recipe and options, and what it is about.

    Args:
        kinds: the classes of plan and recipe.
        variants: that there are; `default` are those of a study that names none.
        defaults: of settings and of title and question.
    """
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("--recipe", metavar="NAME", help="a file of habn/recipes: the flags that it holds")
    add_flags(parser, kinds[0], device=default_device())
    add_flags(parser, kinds[1])
    add_flags(parser, TrainingOptions, but=("stop_at", "search", "seed"))
    parser.add_argument("--variants", nargs="+", default=default, choices=variants, metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--ablate", action="store_true", help="measure trained HABN networks with parts turned off")
    parser.add_argument("--run", type=Path, required=True, help="the folder of the study")
    parser.add_argument("--results", type=Path, help="the file to write")
    parser.add_argument("--title", nargs=2, metavar=("EN", "ES"))
    parser.add_argument("--question", nargs=2, metavar=("EN", "ES"))
    parser.set_defaults(delta_rate=DELTA_RATE, evaluate_every=400, **defaults)
    return parser


def check_common_arguments(args: argparse.Namespace, variants: dict[str, Variant]) -> None:
    """Refuse what would fail only later.

    Raises:
        HabnError: one sentence on the argument and what to do.
    """
    if min(args.steps, args.batch_size, args.evaluate_every) < 1:
        raise HabnError("--steps, --batch-size and --evaluate-every must be at least 1.")
    if min(args.seeds) < 0 or len(set(args.seeds)) < len(args.seeds):
        raise HabnError("--seeds must be different numbers of at least 0.")
    if args.ablate and not variants[args.variants[0]].norm.startswith("habn"):
        raise HabnError("--ablate turns parts of HABN off; name one of its variants first, such as habn-plus.")
    if args.trunk is not None and "adain" in args.variants:
        raise HabnError(
            "adain has codes for styles in place of a trunk's scales; leave out --trunk or the variant adain."
        )
    check_device(args.device)


def run_command(study: Callable[[], Study | None], results: Path | None) -> None:
    """Do a study and write it."""

    def command() -> None:
        found = study()
        if found is None:
            log.info("No seed is finished with all variants yet, so there is nothing to compare.")
        elif results is not None:
            save_study(found, results.parent)

    end_with_a_sentence(command, "Stopped; the same command continues the study.")


def compare_or_ablate(runs: StudyRuns, args: argparse.Namespace, parser: argparse.ArgumentParser) -> Study | None:
    """Do what the arguments ask for; what was found."""
    head = describe_study(runs, args, parser)
    return ablate(runs, args, head) if args.ablate else compare(runs, args, head)


def compare(runs: StudyRuns, args: argparse.Namespace, head: Study) -> Study | None:
    """Train and measure all variants, seed by seed, as far as the time allows; what can be compared."""
    started = time.monotonic()
    for seed, name in itertools.product(args.seeds, args.variants):
        left = None if args.minutes is None else args.minutes - (time.monotonic() - started) / 60
        if (left is not None and left <= 0) or not runs.run(name, seed, left):
            log.info("Time is up; the same command continues the study.")
            break
        value = f"{runs.value_of(runs.measured(name, seed)):.{runs.metric.decimals}f}"
        log.info("%s, seed %d: %s %s", name, seed, runs.metric.label, value)
    return collect(runs, args.variants, args.seeds, head)


def ablate(runs: StudyRuns, args: argparse.Namespace, head: Study) -> Study:
    """Measure trained networks of the first variant again, under each of ABLATIONS; what was found."""
    name = args.variants[0]
    variant = runs.variants[name]
    epochs = [runs.measured(name, seed)["epochs"] for seed in args.seeds]
    folders = [runs.folder / name / str(seed) / CHECKPOINT for seed in args.seeds]
    networks = [load_checkpoint(folder).to(runs.plan.device) for folder in folders]
    changes = [(setting, networks, intervention) for setting, intervention in ABLATIONS.items()]
    if variant.search:
        changes.append((SOFT_GATES, [runs.with_soft_gates(name, seed) for seed in args.seeds], Intervention()))
    rows = []
    for setting, changed, intervention in changes:
        values = [runs.measure_under(network, intervention) for network in changed]
        words = ", ".join(filter(None, (variant.setting, setting)))
        rows.append(build_row(variant, args.seeds, values, count_parameters(changed[0]), setting=words))
        log.info("%s: %s", setting or "as trained", values)
    return replace(head, epochs=epochs[0], rows=tuple(rows))


def describe_study(runs: StudyRuns, args: argparse.Namespace, parser: argparse.ArgumentParser) -> Study:
    """What stands at the head of the study."""
    name = args.results.stem if args.results else args.run.name
    title, question = (dict(zip(LANGUAGES, texts, strict=True)) for texts in (args.title, args.question))
    head = describe(runs, name, title, question, command_of(parser, args))
    return replace(head, recipe=None if args.recipe is None else Path(args.recipe).stem)


def command_of(parser: argparse.ArgumentParser, args: argparse.Namespace) -> str:
    """The command that makes a result again, with DIR and FILE for the data and names for the other folders.

    What a recipe says is not said again.
    """
    known = {} if args.recipe is None else load_recipe(args.recipe)
    words, places = [parser.prog], {"root": "DIR", "squeezenet": "FILE", "facade": "DIR"}
    for name, value in vars(args).items():
        flag = name.replace("_", "-")
        if name in ("minutes", "title", "question", "device") or value == parser.get_default(name):
            continue
        if name in places and value is not None:
            value = places[name]
        elif isinstance(value, Path):
            value = short_path(value)
        written = flag_words(flag, value)
        if written != flag_words(flag, known.get(flag)):
            words += written
    return " ".join(words)
