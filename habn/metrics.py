"""Figures of merit, as pure functions."""

import numpy as np


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
