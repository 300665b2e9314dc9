"""The drawn street scenes as a data set: splits of `habn.scenes`, made anew at each run and the same each time."""

import logging
import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import torch
from tqdm import tqdm

from habn.data.segmentation import STREET_CLASSES, SegmentationData
from habn.scenes import draw_scene

log = logging.getLogger(__name__)

FIRST_SEED = {"train": 0, "val": 100_000, "test": 200_000}
COUNT = {"train": 320, "val": 40, "test": 80}


def load_scenes(split: str, count: int | None = None, size: tuple[int, int] = (360, 480)) -> SegmentationData:
    """Draw a split, on all cores.

    Args:
        split: "train", "val" or "test"; no scene is in two of them.
        count: how many scenes; None for 320, 40 or 80.
        size: (H, W).
    """
    first, count = FIRST_SEED[split], count or COUNT[split]
    log.info("Drawing %d street scenes (%s) ...", count, split)
    # Forked workers could inherit a lock that a thread of this process holds.
    with ProcessPoolExecutor(mp_context=multiprocessing.get_context("spawn")) as pool:
        jobs = range(first, first + count)
        drawn = pool.map(draw_scene, jobs, [size[0]] * count, [size[1]] * count, chunksize=4)
        scenes = list(tqdm(drawn, total=count, desc=f"Drawing {split}", unit="scene", leave=False, disable=None))
    images = np.stack([scene.image.transpose(2, 0, 1) for scene in scenes])
    labels = np.stack([scene.labels for scene in scenes])
    return SegmentationData(images=torch.from_numpy(images), labels=torch.from_numpy(labels), classes=STREET_CLASSES)
