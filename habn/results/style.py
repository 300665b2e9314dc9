"""What was measured of style networks, as the parts of a study."""

from collections.abc import Mapping, Sequence

from habn.results.models import METRICS, FurtherMetric, FurtherRow, StyleRow

FURTHER = ("style", "content", "ssim")
"""The figures beside the main one, "frechet", in the order of the tables."""

Measured = Mapping[str, Mapping]
"""By the figure's name its mean, deviation and by_style, as in `habn.training.style_evaluation.StyleScore`."""


def style_parts(found: Mapping[tuple[str, str], Sequence[Measured]]) -> dict:
    """The figures and by_style of a `Study`.

    Args:
        found: by norm and setting, what was measured with each seed.
    """
    return {
        "figures": tuple(
            FurtherMetric(METRICS[name], tuple(_figure_row(row, name, by_seed) for row, by_seed in found.items()))
            for name in FURTHER
        ),
        "by_style": tuple(
            StyleRow(*row, style, tuple(measured["frechet"]["by_style"][style] for measured in by_seed))
            for row, by_seed in found.items()
            for style in by_seed[0]["frechet"]["by_style"]
        ),
    }


def _figure_row(row: tuple[str, str], name: str, by_seed: Sequence[Measured]) -> FurtherRow:
    values, deviations = (tuple(measured[name][key] for measured in by_seed) for key in ("mean", "deviation"))
    return FurtherRow(*row, values, deviations)
