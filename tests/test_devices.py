"""Where networks run. The meta device stands in for CUDA: it computes shapes, and tells what was moved to it."""

import pytest
import torch

from habn.comparison.compared import ComparedNetwork, device, load_network
from habn.comparison.painting import Painting
from habn.errors import HabnError


@pytest.fixture
def with_cuda(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HABN_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)


def test_cuda_is_used_where_there_is_one(with_cuda, monkeypatch):
    assert device() == torch.device("cuda")
    monkeypatch.setenv("HABN_DEVICE", "cpu")
    assert device() == torch.device("cpu")
    monkeypatch.setenv("HABN_DEVICE", "cuda:1")
    assert device() == torch.device("cuda", 1)


def test_a_device_that_is_not_there_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for wanted, sentence in (("cuda", "has no device 'cuda'"), ("abacus", "no kind of device 'abacus'")):
        monkeypatch.setenv("HABN_DEVICE", wanted)
        with pytest.raises(HabnError, match=sentence):
            device()


@pytest.mark.parametrize("name", ["spvcnn-bn-camvid", "cfanet-in-styles"])
def test_a_network_and_all_that_it_is_given_are_on_its_device(name, monkeypatch):
    monkeypatch.setattr("habn.comparison.compared.device", lambda: torch.device("meta"))
    compared: ComparedNetwork = load_network(name)
    assert {value.device.type for value in compared.network.state_dict().values()} == {"meta"}
    seen = []
    compared.network.register_forward_pre_hook(lambda network, given: seen.extend(given))
    with torch.inference_mode():
        answer = compared.ask(torch.rand(1, 3, 32, 48), Painting())
    assert answer.device.type == "meta" and len(seen) == (1 if compared.task == "segmentation" else 2)
    assert {value.device.type for value in seen} == {"meta"}
