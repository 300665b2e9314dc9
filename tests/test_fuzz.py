"""Damaged pictures give an image or a refusal, quickly and in little memory; `make fuzz` tries ten times as many."""

import fuzz_pictures
import numpy as np
import pytest


def test_two_hundred_damaged_pictures_show_no_fault():
    assert fuzz_pictures.find_faults(200) == []


def test_a_mutation_depends_on_its_number_alone():
    pictures = fuzz_pictures.seeds()
    assert [fuzz_pictures.mutate(pictures, k) for k in range(50)] == [
        fuzz_pictures.mutate(pictures, k) for k in range(50)
    ]


@pytest.mark.parametrize("wrong, word", [
    (lambda data, max_side: 1 / 0, "ZeroDivisionError"),
    (lambda data, max_side: np.zeros((4, 4), np.uint8), "(4, 4)"),
    (lambda data, max_side: sum(range(10**6)) and np.ones((4, 4, 3), np.uint8), "s"),
], ids=["exception", "shape", "slow"])  # fmt: skip
def test_a_fault_is_found(wrong, word, monkeypatch):
    monkeypatch.setattr(fuzz_pictures, "open_image", wrong)
    monkeypatch.setattr(fuzz_pictures, "SECONDS", 0)
    assert word in fuzz_pictures.fault(b"", base=0)


def test_memory_is_a_fault(monkeypatch):
    monkeypatch.setattr(fuzz_pictures, "open_image", lambda data, max_side: np.ones((4, 4, 3), np.uint8))
    assert "MB more" in fuzz_pictures.fault(b"", base=-fuzz_pictures.MEGABYTES)
