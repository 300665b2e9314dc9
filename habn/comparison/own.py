"""Networks of one's own: what the page has to know of one, and how it is named from a shell.

docs/own-networks.md explains it with a worked example.
"""

import importlib
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from habn.checkpoints import WEIGHTS, CheckpointError, check_weights, read_weights
from habn.errors import HabnError

TASKS = ("segmentation", "image", "other")
TRIAL_SIDE = 64  # pixels of the picture on which a network is tried


class OwnNetworkError(HabnError):
    """One sentence on a network of one's own that cannot be shown, and what to do."""


@dataclass(frozen=True, eq=False, kw_only=True)
class OwnNetwork:
    """A network of one's own, and what has to be known to show what it does.

        OwnNetwork(network=model, prepare=lambda pixels: (pixels - 0.5) / 0.5, answer=lambda output: output.logits)

    Attributes:
        network: takes what `prepare` gives; it is put into evaluation mode. Its BN, HABN, IN, FiLM and GroupNorm
            layers are found by type.
        label: the name that it is shown under; None for that of its normalization, such as "HABN".
        task: "segmentation", when the answer is logits (1, K, h, w); "image", when it is RGB (1, 3, h, w) in [0, 1];
            "other" for anything else, which is not drawn: its layers are shown, and its answers held side by side as
            numbers. None finds out: K of 3 is an image, another K a segmentation.
        classes: the K names of a segmentation; without, classes are numbered.
        palette: K colours (red, green, blue) in 0 to 255; without, colours are made.
        prepare: makes of pixels (1, 3, H, W), RGB in [0, 1], what the network takes: one tensor, a tuple of positional
            arguments, or a dictionary of named ones. Without, it takes pixels.
        answer: makes of what the network returns its answer, a tensor; without, it returns a tensor. An answer of
            another size than the picture is resized to it.
    """

    network: nn.Module
    label: str | None = None
    task: str | None = None
    classes: Sequence[str] = ()
    palette: Sequence[Sequence[int]] | None = None
    prepare: Callable[[Tensor], Any] | None = None
    answer: Callable[[Any], Tensor] | None = None

    def __post_init__(self) -> None:
        if self.task not in (None, *TASKS):
            raise OwnNetworkError(f"task is {self.task!r}; it must be one of {', '.join(TASKS)}.")
        if self.palette is not None and self.classes and len(self.palette) != len(self.classes):
            raise OwnNetworkError(
                f"There are {len(self.palette)} colours for {len(self.classes)} classes; give as many of both."
            )

    def __call__(self, pixels: Tensor) -> Tensor:
        """The answer to pixels (1, 3, H, W): (1, K, H, W) logits, (1, 3, H, W) of an image, or whatever it is."""
        given = pixels if self.prepare is None else self.prepare(pixels)
        if isinstance(given, dict):
            output = self.network(**given)
        else:
            output = self.network(*given) if isinstance(given, tuple) else self.network(given)
        answer = output if self.answer is None else self.answer(output)
        if not isinstance(answer, Tensor):
            raise OwnNetworkError(
                f"{self.title} returns {type(answer).__name__}; give an `answer` that takes a tensor of it."
            )
        if self.task != "other" and answer.ndim == 4 and answer.shape[2:] != pixels.shape[2:]:
            answer = F.interpolate(answer.float(), pixels.shape[2:], mode="bilinear", align_corners=False)
        return answer

    @property
    def title(self) -> str:
        """Its label, or the name of its class."""
        return self.label or type(self.network).__name__

    def tried(self) -> "OwnNetwork":
        """This network in evaluation mode, with task and classes as a small picture shows them.

        Raises:
            OwnNetworkError: the network fails on it, or its answer is none of its task.
        """
        self.network.eval()
        device = next((p.device for p in self.network.parameters()), torch.device("cpu"))
        pixels = torch.rand(1, 3, TRIAL_SIDE, TRIAL_SIDE, generator=torch.Generator().manual_seed(0))
        size = f"{TRIAL_SIDE} x {TRIAL_SIDE} pixels"
        with _as_a_sentence(f"The network {self.title!r} fails on a picture of {size}"), torch.inference_mode():
            answer = self(pixels.to(device))
        is_map = answer.ndim == 4 and len(answer) == 1
        task = self.task or ("other" if not is_map else "image" if answer.shape[1] == 3 else "segmentation")
        count = answer.shape[1] if answer.ndim > 1 else 0
        if task != "other" and not is_map or task == "image" and count != 3:
            raise OwnNetworkError(
                f"The network {self.title!r} answers with the shape {tuple(answer.shape)}; {task} needs "
                f"{'(1, 3, h, w)' if task == 'image' else '(1, K, h, w)'}: give an `answer`, or another task."
            )
        classes = tuple(self.classes) or tuple(f"class {k}" for k in range(count))
        if task == "segmentation" and len(classes) != count:
            raise OwnNetworkError(
                f"The network {self.title!r} has {count} classes, and {len(classes)} names for them; give one for each."
            )
        return replace(self, task=task, classes=classes if task == "segmentation" else ())


def load_own(spec: str) -> OwnNetwork:
    """The network that "module:factory", or "module:factory@DIR" with weights from a checkpoint's folder, names.

    The module is looked for in the present folder first; the factory takes no arguments and returns an `OwnNetwork` or
    a module of PyTorch.

    Raises:
        OwnNetworkError: when it cannot be imported, built or tried.
        CheckpointError: when the weights do not fit.
    """
    place, _, folder = spec.partition("@")
    module_name, _, factory_name = place.partition(":")
    with _as_a_sentence(f"{place} cannot be imported"), _importing_from(os.getcwd()):
        factory = getattr(importlib.import_module(module_name), factory_name)
    with _as_a_sentence(f"{place} failed"):
        built = factory()
    if isinstance(built, nn.Module):
        built = OwnNetwork(network=built)
    if not isinstance(built, OwnNetwork):
        raise OwnNetworkError(
            f"{place} returns {type(built).__name__}; it must return a module of PyTorch or a habn.OwnNetwork."
        )
    if folder:
        load_weights(built.network, folder)
    return built.tried()


def load_weights(network: nn.Module, folder: str | Path) -> None:
    """Give a network of one's own the weights of a checkpoint's folder.

    Raises:
        CheckpointError: they are missing, damaged, or of another network.
    """
    path = Path(folder) / WEIGHTS
    weights = read_weights(path)
    check_weights(network.state_dict(), weights, path)
    network.load_state_dict(weights)


@contextmanager
def _importing_from(folder: str):
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)


@contextmanager
def _as_a_sentence(what: str):
    """Whatever goes wrong in somebody else's code, as one sentence, with its cause behind it."""
    try:
        yield
    except (OwnNetworkError, CheckpointError):
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".split("\n")[0].rstrip(".")
        raise OwnNetworkError(f"{what} ({reason}); mend it and try again.") from error
