"""Measured results: studies in results/*.json, their statistics, and the tables that are made of them.

Everything that is said of them, in the README and on the page, is made from these files and never typed.
"""

from habn.results.claims import Claim, Claims
from habn.results.models import (
    METRICS,
    Choice,
    Curve,
    Figure,
    Metric,
    Row,
    Study,
    UnderWeather,
)
from habn.results.reading import ResultError, load_claims, load_results
from habn.results.tables import tables_markdown
from habn.results.writing import add_rows, save_study

__all__ = [
    "METRICS",
    "Choice",
    "Claim",
    "Claims",
    "Curve",
    "Figure",
    "Metric",
    "ResultError",
    "Row",
    "Study",
    "UnderWeather",
    "add_rows",
    "load_claims",
    "load_results",
    "save_study",
    "tables_markdown",
]
