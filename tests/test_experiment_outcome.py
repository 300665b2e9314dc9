"""The one sentence on who stands the weather better."""

import numpy as np
import pytest

from habn.comparison.experiment import Change
from habn.ui.experiment.outcome import _who_holds

MAP = np.zeros((1, 1), np.float32)
HABN_IOU = "60.0\N{NO-BREAK SPACE}% → 50.0\N{NO-BREAK SPACE}%"


def change(kept: float, iou: tuple[float, float] | None) -> Change:
    return Change(MAP, 1 - kept, iou)


# What BN kept and its IoU before and after, then HABN's; the beginning of the English and of the Spanish sentence.
CASES = {
    "kept, BN": (0.9, None, 0.88, None, "BN holds better here: 90.0", "Aquí aguanta mejor BN"),
    "kept, HABN": (0.88, None, 0.9, None, "HABN holds better here: 90.0", "Aquí aguanta mejor HABN"),
    "kept, alike": (0.9, None, 0.908, None, "Both hold alike: 90.0", "Las dos aguantan igual"),
    "truth, HABN": (
        0.8,
        (0.6, 0.4),
        0.9,
        (0.6, 0.5),
        "HABN holds better here, by",
        "aquí aguanta mejor HABN",
    ),
    "truth, BN": (0.9, (0.6, 0.55), 0.9, (0.6, 0.5), "BN holds better here, by", "verdaderas, aquí aguanta mejor BN"),
    "truth, one drop": (0.9, (0.52, 0.5), 0.9, (0.6, 0.5), "BN holds better here, by", "aquí aguanta mejor BN"),
    "truth, one end": (0.9, (0.5, 0.4), 0.9, (0.6, 0.5), "HABN holds better here, by", "aquí aguanta mejor HABN"),
    "truth, alike": (0.9, (0.6, 0.5), 0.905, (0.6, 0.5), "Both hold alike, by", "las dos aguantan igual: IoU"),
    "truth, split": (0.9, (0.45, 0.43), 0.8, (0.6, 0.5), "BN loses less here, but HABN is", "Aquí BN pierde menos"),
    "against": (0.8, (0.6, 0.55), 0.9, (0.6, 0.5), "HABN keeps more pixels (90.0", "aguanta mejor BN: IoU"),
    "beside": (0.8, (0.6, 0.5), 0.9, (0.6, 0.5), "HABN keeps more pixels (90.0", "las dos aguantan igual: IoU"),
}


@pytest.mark.parametrize(("kept", "iou", "habn_kept", "habn_iou", "english", "spanish"), CASES.values(), ids=CASES)
def test_the_true_labels_decide_who_holds_better(kept, iou, habn_kept, habn_iou, english, spanish):
    both = change(kept, iou), change(habn_kept, habn_iou)
    said = {language: _who_holds("BN", "HABN", *both, language) for language in ("en", "es")}
    assert said["en"].startswith(english) and spanish in said["es"]
    assert all("{" not in sentence for sentence in said.values())
    if habn_iou == (0.6, 0.5):
        assert HABN_IOU in said["en"] and HABN_IOU.replace(".", ",") in said["es"]
