"""The options of a layer that are one of a few words."""

from typing import Any, Literal

Granularity = Literal["layer", "channel"]
Units = Literal["absolute", "relative"]
Statistics = Literal["static", "own"]
ContextNormalization = Literal["minmax", "distribution", "zscore", "sigmoid"]


def check_choice(name: str, value: str, choices: Any) -> None:
    """Refuse a value that is not among the choices of a Literal type, with a ValueError that lists them."""
    allowed = choices.__args__
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(allowed)}.")
