"""Figures of merit, as pure functions."""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from habn.pixels import LUMA


def confusion_matrix(labels: np.ndarray, predictions: np.ndarray, num_classes: int) -> np.ndarray:
    """Count the pixels of each true class (rows) that were given each class (columns), (K, K) int64.

    Pixels whose label is not in 0..K-1, such as void, are left out.
    """
    scored = (labels >= 0) & (labels < num_classes)
    index = labels[scored].astype(np.int64) * num_classes + predictions[scored]
    return np.bincount(index, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_iou(confusion: np.ndarray) -> np.ndarray:
    """Intersection over union of each class, (K,) in [0, 1]; NaN for a class that neither occurs nor is predicted."""
    hit = np.diag(confusion).astype(float)
    union = confusion.sum(0) + confusion.sum(1) - hit
    return np.divide(hit, union, out=np.full(len(hit), np.nan), where=union > 0)


def mean_iou(confusion: np.ndarray) -> float:
    """Mean of `class_iou` over all K classes, in [0, 1]; a class that never occurs counts as 0 and is not dropped."""
    return float(np.nan_to_num(class_iou(confusion)).mean())


def structural_similarity(first: np.ndarray, second: np.ndarray) -> float:
    """Structural similarity (SSIM) of two grey pictures, averaged over the picture.

        SSIM = (2 mu_x mu_y + C1) (2 sigma_xy + C2) / ((mu_x^2 + mu_y^2 + C1) (sigma_x^2 + sigma_y^2 + C2))

    with mean, variance and covariance under a Gaussian window of 11 x 11 pixels and sigma 1.5 at every place where it
    fits whole, C1 = 0.01^2 and C2 = 0.03^2 (Wang et al., "Image quality assessment", 2004).

    Args:
        first, second: (H, W) float in [0, 1], H and W at least 11.

    Returns:
        A value in [-1, 1]; 1 for equal pictures, and the same whichever comes first.
    """
    x, y = first.astype(float), second.astype(float)
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    light = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    structure = (2 * covariance + _C2) / (variance_x + variance_y + _C2)
    return float((light * structure).mean())


def luma(picture: np.ndarray) -> np.ndarray:
    """Light without colour, Y of R, G and B: (3, H, W) to (H, W)."""
    return np.tensordot(LUMA, picture, 1)


def fit_gaussian(samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean (D,) and covariance (D, D), with n - 1, of samples (n, D); n at least 2."""
    return samples.mean(0), np.cov(samples, rowvar=False)


def frechet_distance(first: tuple[np.ndarray, np.ndarray], second: tuple[np.ndarray, np.ndarray]) -> float:
    """Squared Fréchet distance of two Gaussians: that of their means, and how far their covariances differ.

        d^2 = ||m1 - m2||^2 + tr(C1 + C2 - 2 (C1^(1/2) C2 C1^(1/2))^(1/2))

    (Dowson and Landau 1982; it is the squared 2-Wasserstein distance.) Every root is that of a symmetric matrix, taken
    by its eigenvalues, so no complex numbers arise. Nothing is inverted: the distance of singular covariances, as of
    fewer samples than dimensions, is defined and needs no regularization, but then says little of where the samples
    came from. What rounding leaves below 0 is 0.

    Args:
        first, second: mean (D,) and covariance (D, D), symmetric, positive semidefinite, as `fit_gaussian` gives.
    """
    (mean_1, covariance_1), (mean_2, covariance_2) = first, second
    values, vectors = np.linalg.eigh(covariance_1)
    root = (vectors * np.sqrt(values.clip(0))) @ vectors.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ covariance_2 @ root).clip(0)).sum()
    spread = np.trace(covariance_1) + np.trace(covariance_2) - 2 * overlap
    return max(0.0, float(np.square(mean_1 - mean_2).sum() + spread))


_C1, _C2 = 0.01**2, 0.03**2
_WINDOW = np.exp(-0.5 * (np.arange(-5, 6) / 1.5) ** 2)
_WINDOW /= _WINDOW.sum()


def _blur(picture: np.ndarray) -> np.ndarray:
    """Weighted means under the window, first down, then across, where it fits whole: (H, W) to (H - 10, W - 10)."""
    for axis in (0, 1):
        picture = sliding_window_view(picture, len(_WINDOW), axis) @ _WINDOW
    return picture
