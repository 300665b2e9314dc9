"""Recipes: flags that stand in a file, made from the fields of settings, and named by what they came to."""

import json
import shlex
from dataclasses import asdict, fields
from pathlib import Path

import pytest

from habn.checkpoints import CHECKPOINTS, read_metadata
from habn.commands import study, style_study, train
from habn.commands.flags import RECIPES, expand, parse, read_flags
from habn.commands.study_arguments import command_of
from habn.results import load_results
from habn.training.segmentation import SegmentationRecipe
from habn.training.task import TrainingOptions

NAMED = [result for result in load_results() if result.recipe is not None]
PLACES = ("run", "results", "recipe", "root", "squeezenet")


def parse_study(command: list[str]):
    """The settings of a command of a study, whichever kind it is."""
    kind = style_study if "habn.study.style" in command else study
    return kind, parse(kind.build_parser(), command[3:], [])


@pytest.mark.parametrize("result", NAMED, ids=lambda result: result.name)
def test_a_recipe_is_the_command_that_made_its_result(result):
    kind, made = parse_study(shlex.split(result.command))
    places = ["--root", "DIR", "--run", "x"] + (["--squeezenet", "FILE"] if kind is style_study else [])
    named = parse(kind.build_parser(), ["--recipe", result.recipe, *places], [])
    assert {k: v for k, v in vars(named).items() if k not in PLACES} == {
        k: v for k, v in vars(made).items() if k not in PLACES
    }
    assert (named.steps, len(named.variants), tuple(named.seeds)) == (
        result.steps,
        len(result.rows),
        result.rows[0].seeds,
    )


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_a_recipe_says_what_it_came_to(path):
    said = path.read_text().partition("What it came to: ")[2].splitlines()[0]
    root = Path(__file__).parent.parent
    assert all((root / place).exists() for place in said.split(" and "))


def test_the_pair_for_streets_was_trained_by_its_recipe():
    places = ["--root", "DIR", "--facade", "DIR", "--teacher", "DIR", "--run", "x"]
    args = parse(study.build_parser(), ["--recipe", "streets", *places], [])
    plan = study.build_plan(args)
    metadata = read_metadata(CHECKPOINTS / "spvcnn-habn-plus-streets")
    assert json.loads(json.dumps(asdict(plan.recipe))) == metadata["recipe"]
    trained = metadata["training"]
    assert all(getattr(plan.options, name) == trained[name] for name in ("steps", "learning_rate", "delta_rate"))
    assert (plan.scenes, plan.with_val) == (trained["with_scenes"], trained["with_val"])


def test_what_follows_a_recipe_wins_and_its_command_names_it(tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text("steps = 7\nseeds = [1, 2]\nweather = true\nwith-val = false\nlearning-rate = 0.5\n")
    assert expand(["--recipe", "x.toml"][:1]) == ["--recipe"]
    parser = study.build_parser()
    args = parse(parser, ["--recipe", str(mine), "--steps", "9", "--run", "runs/here"], [])
    assert (args.steps, args.seeds, args.weather, args.with_val) == (9, [1, 2], True, False)
    options = read_flags(args, TrainingOptions)
    assert (options.learning_rate, options.delta_rate, options.evaluate_every) == (0.5, 10.0, 400)
    assert command_of(parser, args) == f"python -m habn.study --recipe {mine} --steps 9 --run runs/here"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no recipe"),
        ("steps =", "is not valid TOML"),
        ("colour = 1", "unrecognized arguments: --colour"),
    ],
)
def test_a_recipe_that_cannot_be_read_is_refused(tmp_path, capsys, content, sentence):
    path = tmp_path / "mine.toml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SystemExit):
        parse(study.build_parser(), ["--recipe", str(path), "--steps", "1", "--run", "x"], [])
    assert sentence in capsys.readouterr().err


def test_flags_are_the_fields_of_settings():
    parser = train.build_parser()
    args = parser.parse_args(["segmentation", "--steps", "3", "--run", "x", "--crop", "16", "24", "--scale", "1", "2"])
    recipe = read_flags(args, SegmentationRecipe)
    assert (recipe.crop, recipe.scale, recipe.batch_size) == ((16, 24), (1.0, 2.0), SegmentationRecipe.batch_size)
    flags = {
        own.name for kind in (SegmentationRecipe, TrainingOptions) for own in fields(kind) if "flag" in own.metadata
    }
    assert flags - {"facade"} <= vars(args).keys() and "jitter" not in vars(args)


def test_conditions_hold_what_is_not_the_default():
    common = ["segmentation", "--steps", "3", "--run", "x"]
    plain = train.conditions(train.build_parser().parse_args(common))
    assert "scale" not in plain, "runs that were begun before there was such a flag go on"
    other = train.conditions(train.build_parser().parse_args([*common, "--scale", "1", "2"]))
    assert other == plain | {"scale": (1.0, 2.0)}
