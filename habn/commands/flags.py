"""Flags of commands: made from the fields of settings, and read from recipes.

A recipe is a TOML file of flags, such as habn/recipes/camvid-scratch-long.toml. `--recipe NAME` stands for all of them,
and what follows it on the command line wins.
"""

import argparse
import tomllib
from collections.abc import Collection
from dataclasses import MISSING, Field, fields
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from habn.errors import HabnError

RECIPES = Path(__file__).resolve().parents[1] / "recipes"

Settings = TypeVar("Settings")


def add_flags(parser: argparse.ArgumentParser, kind: type, but: Collection[str] = (), **defaults: Any) -> None:
    """A flag for each field of a class of settings that is a `habn.settings.setting`.

    Args:
        but: names of fields that this command decides by itself.
        defaults: where they are this command's own.
    """
    hints = get_type_hints(kind)
    for own in _settings(kind):
        if own.name in but:
            continue
        how = _parsing(hints[own.name]) | own.metadata["parsing"]
        default = defaults.get(own.name, own.default)
        how |= {"required": True} if default is MISSING else {"default": default}
        parser.add_argument(f"--{_name(own)}", help=own.metadata["help"], **how)


def read_flags(args: argparse.Namespace, kind: type[Settings], **others: Any) -> Settings:
    """The settings that a command line gives; others are the fields that it does not."""
    given = {}
    for own in _settings(kind):
        dest = _name(own).replace("-", "_")
        if own.name not in others and hasattr(args, dest):
            value = getattr(args, dest)
            given[own.name] = tuple(value) if isinstance(value, list) else value
    return kind(**given, **others)


def parse(parser: argparse.ArgumentParser, arguments: list[str] | None, given: list[str]) -> argparse.Namespace:
    """The parsed arguments, those of a recipe included.

    Args:
        arguments: what `main` was called with, or None.
        given: those of the process, which are meant by None.
    """
    try:
        return parser.parse_args(expand(given if arguments is None else arguments))
    except HabnError as error:
        parser.error(str(error))


def expand(arguments: list[str]) -> list[str]:
    """The arguments with the flags of a recipe behind its name.

    Raises:
        HabnError: there is no such recipe, or it is no TOML.
    """
    expanded = []
    for before, argument in zip(["", *arguments], arguments, strict=False):
        expanded.append(argument)
        if before == "--recipe":
            for flag, value in load_recipe(argument).items():
                expanded += flag_words(flag, value)
    return expanded


def load_recipe(name: str) -> dict[str, Any]:
    """The flags of a recipe, by its name or its file, each with its value.

    Raises:
        HabnError: there is no such recipe, or it is no TOML.
    """
    path = Path(name) if name.endswith(".toml") else RECIPES / f"{name}.toml"
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(sorted(path.stem for path in RECIPES.glob("*.toml")))
        raise HabnError(f"There is no recipe {name}; give a file that ends in .toml, or one of {known}.") from None
    except tomllib.TOMLDecodeError as error:
        raise HabnError(f"{path} is not valid TOML ({error}).") from None


def flag_words(flag: str, value: Any) -> list[str]:
    """A flag with its value, as they stand on a command line; nothing of what is None or False."""
    if value is None or value is False:
        return []
    values = [] if value is True else value if isinstance(value, list | tuple) else [value]
    return [f"--{flag}", *map(str, values)]


def _settings(kind: type) -> list[Field]:
    return [own for own in fields(kind) if "flag" in own.metadata]


def _name(own: Field) -> str:
    return own.metadata["flag"] or own.name.replace("_", "-")


def _parsing(hint: Any) -> dict[str, Any]:
    """How argparse reads a value of a type."""
    if hint is bool:
        return {"action": "store_true"}
    if get_origin(hint) is tuple:
        return {"nargs": len(get_args(hint)), "type": get_args(hint)[0]}
    known = [part for part in get_args(hint) if part is not NoneType]
    return {"type": known[0] if known else hint}
