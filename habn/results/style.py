"""What was measured of style networks, as the parts of a row."""

from collections.abc import Mapping, Sequence

from habn.results.models import METRICS, Figure

FURTHER = tuple(METRICS[name] for name in ("style", "content", "ssim"))
"""The metrics beside the main one, "frechet", in the order of the tables."""


def style_parts(by_seed: Sequence[Mapping[str, Mapping]]) -> dict:
    """The figures and styles of a `Row`.

    Args:
        by_seed: what was measured with each seed: by the metric's name its mean, deviation and by_style, as in
            `habn.training.style_evaluation.StyleScore`.
    """
    return {
        "figures": {metric.name: _figure([measured[metric.name] for measured in by_seed]) for metric in FURTHER},
        "styles": {
            style: tuple(measured["frechet"]["by_style"][style] for measured in by_seed)
            for style in by_seed[0]["frechet"]["by_style"]
        },
    }


def _figure(by_seed: Sequence[Mapping]) -> Figure:
    values, deviations = (tuple(measured[key] for measured in by_seed) for key in ("mean", "deviation"))
    return Figure(values=values, deviations=deviations)
