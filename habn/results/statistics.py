"""Spread, and the paired comparison of two rows of values by Student's t: pure functions on floats."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

CONFIDENCE = 0.95
_STEPS = 200  # enough halvings, and enough terms of the continued fraction, for the last bit of a float


@dataclass(frozen=True)
class PairedDifference:
    """The mean of the differences of paired values.

    Attributes:
        mean: of first minus second.
        count: of pairs.
        interval: the mean's confidence interval (95 %), or None of a single pair.
        p: two-sided p value of "there is no difference", or None of a single pair.
    """

    mean: float
    count: int
    interval: tuple[float, float] | None
    p: float | None


def standard_deviation(values: Sequence[float]) -> float | None:
    """Of a sample (n - 1); None of a single value."""
    return statistics.stdev(values) if len(values) > 1 else None


def paired_difference(first: Sequence[float], second: Sequence[float]) -> PairedDifference:
    """Compare values that belong together pair by pair, such as those of two networks with the same seed.

        d = first - second      mean(d) +- t(0.975, n - 1) * sd(d) / sqrt(n)

    Raises:
        ValueError: when there are not as many of one as of the other, or none.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"Pairs are needed, but there are {len(first)} and {len(second)} values.")
    differences = [a - b for a, b in zip(first, second, strict=True)]
    centre, spread, count = statistics.fmean(differences), standard_deviation(differences), len(differences)
    # Differences that are the same in every pair were rounded so: how far they spread is not known.
    if spread is None or (spread < 1e-9 and centre != 0):
        return PairedDifference(centre, count, None, None)
    error = spread / math.sqrt(count)
    reach = t_quantile((1 + CONFIDENCE) / 2, count - 1) * error
    return PairedDifference(centre, count, (centre - reach, centre + reach), _p_value(centre, error, count))


def _p_value(centre: float, error: float, count: int) -> float:
    if error == 0:
        return 1.0
    return 2 * t_cdf(-abs(centre) / error, count - 1)


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """What each p value is worth as one of several, by Holm's step-down; None, where a pair has none, stays None.

    The k-th smallest of n is multiplied by n + 1 - k, and is never below the one before it (Holm 1979).
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    adjusted: list[float | None] = [None] * len(p_values)
    least = 0.0
    for rank, (p, place) in enumerate(known):
        least = max(least, min(1.0, (len(known) - rank) * p))
        adjusted[place] = least
    return adjusted


def t_cdf(t: float, freedom: float) -> float:
    """P(T <= t) of Student's t with `freedom` degrees of freedom."""
    tail = regularized_beta(freedom / (freedom + t * t), freedom / 2, 0.5) / 2
    return tail if t < 0 else 1 - tail


@cache
def t_quantile(probability: float, freedom: float) -> float:
    """The t below which Student's t stays with `probability`, in (0, 1); the inverse of `t_cdf`."""
    if not 0 < probability < 1:
        raise ValueError(f"A probability between 0 and 1 is needed, not {probability}.")
    if probability < 0.5:
        return -t_quantile(1 - probability, freedom)
    low, high = 0.0, 1.0
    while t_cdf(high, freedom) < probability:
        high *= 2
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if t_cdf(middle, freedom) < probability else (low, middle)
    return (low + high) / 2


def regularized_beta(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b), by Lentz's continued fraction.

    Press et al., Numerical Recipes, 3rd edition, section 6.4.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):  # there the fraction converges slowly, and its mirror image fast
        return 1 - regularized_beta(1 - x, b, a)
    scale = math.exp(
        math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x) - math.log(a)
    )
    c, d = 1.0, 1 / (1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, _STEPS):
        for term in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / (1 + term * d)
            c = 1 + term / c
            fraction *= c * d
    return scale * fraction
