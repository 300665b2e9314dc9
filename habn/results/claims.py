"""What the source text claims: the content of results/claimed.json, read as `habn.results.models` says."""

from typing import Literal

from pydantic.dataclasses import dataclass

from habn.results.models import STRICT, Text


@dataclass(frozen=True, kw_only=True, config=STRICT)
class Claim:
    """One figure of the source text, from without to with its method; `change` where it gives nothing else.

    Attributes:
        task: what it is a figure of, if of one task alone.
    """

    what: Text
    unit: str
    task: Literal["segmentation", "style"] | None = None
    before: float | None = None
    after: float | None = None
    change: float | None = None


@dataclass(frozen=True, config=STRICT)
class Claims:
    """What the source text claims and nobody could check; never mixed with what was measured."""

    note: Text
    claims: tuple[Claim, ...]
