"""Figures of style transfer against closed forms and a loop over windows."""

import numpy as np
import pytest

from habn.metrics import fit_gaussian, frechet_distance, luma, structural_similarity

RANDOM = np.random.default_rng(0)


def draw_covariance(size: int, rank: int) -> np.ndarray:
    factors = RANDOM.normal(size=(size, rank))
    return factors @ factors.T


def draw_picture() -> np.ndarray:
    return RANDOM.random((19, 24))


def test_structural_similarity_is_that_of_the_published_formula():
    x, y = draw_picture(), draw_picture()
    window = np.exp(-(np.arange(-5, 6)[:, None] ** 2 + np.arange(-5, 6) ** 2) / (2 * 1.5**2))
    window /= window.sum()
    values = []
    for row, column in np.ndindex(9, 14):
        a, b = (picture[row : row + 11, column : column + 11] for picture in (x, y))
        mean_a, mean_b = (window * a).sum(), (window * b).sum()
        var_a, var_b = (window * (a - mean_a) ** 2).sum(), (window * (b - mean_b) ** 2).sum()
        shared = (window * (a - mean_a) * (b - mean_b)).sum()
        values.append(
            (2 * mean_a * mean_b + 1e-4)
            * (2 * shared + 9e-4)
            / ((mean_a**2 + mean_b**2 + 1e-4) * (var_a + var_b + 9e-4))
        )
    assert structural_similarity(x, y) == pytest.approx(np.mean(values), abs=1e-12)


def test_structural_similarity_is_one_for_equals_and_symmetric():
    x, y = draw_picture(), draw_picture()
    assert structural_similarity(x, x) == pytest.approx(1)
    assert structural_similarity(x, y) == pytest.approx(structural_similarity(y, x), abs=1e-14)
    assert structural_similarity(x, 1 - x) < -0.5
    # Of flat pictures light alone is left: (2 a b + C1) / (a^2 + b^2 + C1).
    flat = np.full((11, 11), 0.25), np.full((11, 11), 0.75)
    assert structural_similarity(*flat) == pytest.approx((2 * 0.1875 + 1e-4) / (0.625 + 1e-4))


def test_luma_weighs_the_three_colours_to_one():
    picture = np.stack([np.full((2, 3), value) for value in (1.0, 0.5, 0.0)])
    np.testing.assert_allclose(luma(picture), 0.299 + 0.587 / 2)


def test_a_gaussian_of_many_samples_is_that_they_came_from():
    mean, covariance = np.array([1.0, -2.0]), np.array([[2.0, 0.6], [0.6, 1.0]])
    fitted = fit_gaussian(RANDOM.multivariate_normal(mean, covariance, 200_000))
    np.testing.assert_allclose(fitted[0], mean, atol=0.02)
    np.testing.assert_allclose(fitted[1], covariance, atol=0.03)


@pytest.mark.parametrize("rank", [3, 20])
def test_equal_gaussians_are_at_no_distance(rank):
    covariance, shift = draw_covariance(20, rank), RANDOM.normal(size=20)
    own = frechet_distance((shift, covariance), (shift, covariance))
    assert 0 <= own < 1e-5 * np.trace(covariance), "singular covariances too, and never below 0"
    shifted = frechet_distance((np.zeros(20), covariance), (shift, covariance))
    assert shifted == pytest.approx((shift**2).sum(), rel=1e-4)


def test_covariances_that_commute_have_their_deviations_distance():
    vectors, _ = np.linalg.qr(RANDOM.normal(size=(6, 6)))
    first, second = RANDOM.random((2, 6)) * [[1], [4]]
    first[2] = 0  # singular: the closed form holds there too
    gaussians = [(np.zeros(6), (vectors * variances) @ vectors.T) for variances in (first, second)]
    assert frechet_distance(*gaussians) == pytest.approx(((np.sqrt(first) - np.sqrt(second)) ** 2).sum())
    point = np.zeros(6), np.zeros((6, 6))
    assert frechet_distance(point, gaussians[1]) == pytest.approx(second.sum())


def test_covariances_that_do_not_commute_need_their_product():
    first, second = (RANDOM.normal(size=5), draw_covariance(5, 5)), (RANDOM.normal(size=5), draw_covariance(5, 2))
    # The eigenvalues of C1 C2 are those of C1^(1/2) C2 C1^(1/2), without a root of a matrix.
    overlap = np.sqrt(np.linalg.eigvals(first[1] @ second[1]).real.clip(0)).sum()
    expected = ((first[0] - second[0]) ** 2).sum() + np.trace(first[1] + second[1]) - 2 * overlap
    assert frechet_distance(first, second) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(second, first) == pytest.approx(expected, rel=1e-6)
