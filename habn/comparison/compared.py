"""The networks that can be held side by side: shipped ones, checkpoints of a folder or the Hub, and one's own."""

import colorsys
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn

from habn.checkpoints import CHECKPOINTS, WEIGHTS, CheckpointError, LoadedNetwork, open_checkpoint
from habn.comparison.own import OwnNetwork, load_own
from habn.comparison.painting import Painting
from habn.data.segmentation import STREET_CLASSES, STREET_PALETTE
from habn.errors import HabnError
from habn.layers.normalization import KIND_LABELS, kind_of_network
from habn.pixels import to_image, to_tensor

NetworkSource: TypeAlias = str | os.PathLike | nn.Module | OwnNetwork
"""How a network may be named: a shipped checkpoint's name, a folder, a Hub id, "module:factory", or itself."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparedNetwork:
    """A network that can be shown a picture.

    Attributes:
        name: by which it was asked for.
        network: in evaluation mode, on `device()`.
        task: "segmentation", "style", "image" or "other".
        norm, label: its normalization, for programs and people; a network of one's own may have a label of its own.
        classes, palette: of a segmentation: K names and (K, 3) uint8.
        styles: rows of a style network, 0 of any other.
        trunk: digest of what it was branched from, or None.
        digest: of its weights.
        metadata: what config.json says of it.
        own: what it was made from, where it is one's own.
    """

    name: str
    network: nn.Module
    task: str
    norm: str
    label: str
    classes: tuple[str, ...]
    palette: np.ndarray
    styles: int
    trunk: str | None
    digest: str
    metadata: dict[str, Any]
    own: OwnNetwork | None

    def ask(self, pixels: Tensor, painting: Painting | None) -> Tensor:
        """Its answer to pixels (1, 3, H, W) in [0, 1]: what the network, or its `OwnNetwork`, returns.

        Raises:
            PaintingError: it cannot paint so.
        """
        pixels = pixels.to(next((p.device for p in self.network.parameters()), pixels.device))
        if self.own is not None:
            return self.own(pixels)
        if self.task != "style":
            return self.network(pixels)
        return self.network(pixels, (painting or Painting()).row(self.styles).to(pixels.device))

    def read(self, answer: Tensor, pixels: Tensor, painting: Painting | None) -> tuple[np.ndarray, np.ndarray | None]:
        """An answer as a picture (H, W, 3) uint8, and the classes (H, W) uint8 of a segmentation.

        Of an answer that cannot be drawn the picture is the photo itself.
        """
        answer = answer.float().cpu()
        if self.task == "segmentation":
            labels = answer[0].argmax(0).to(torch.uint8).numpy()
            return self.palette[labels], labels
        if self.task == "other":
            return to_image(pixels), None
        return to_image(
            (painting or Painting()).finish(answer, pixels) if self.own is None else answer.clamp(0, 1)
        ), None


def device() -> torch.device:
    """Where networks run: HABN_DEVICE, or CUDA where there is one, or the CPU.

    Raises:
        HabnError: there is no such device.
    """
    wanted = os.environ.get("HABN_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    if wanted.startswith("cuda") and not torch.cuda.is_available():
        raise HabnError(f"This machine has no device {wanted!r}; leave it out, or ask for cpu.")
    try:
        return torch.device(wanted)
    except RuntimeError:
        raise HabnError(f"There is no kind of device {wanted!r}; ask for cpu, cuda or cuda:1.") from None


def load_network(source: NetworkSource) -> ComparedNetwork:
    """The network that is named; networks that were named by text are kept in memory.

    Raises:
        CheckpointError: there is no such checkpoint, or it does not fit.
        OwnNetworkError: a network of one's own cannot be built or tried.
    """
    if isinstance(source, nn.Module):
        source = OwnNetwork(network=source)
    if isinstance(source, OwnNetwork):
        return _own_network(source.title, source.tried())
    name = str(source)
    shipped = (CHECKPOINTS / name / WEIGHTS).is_file()
    folder = CHECKPOINTS / name if shipped else Path(name)
    weights = folder / WEIGHTS
    return _open(name, weights.stat().st_mtime_ns if weights.is_file() else 0, str(device()))


@torch.inference_mode()
def answer_of(
    network: ComparedNetwork, image: np.ndarray, painting: Painting | None = None
) -> tuple[np.ndarray, np.ndarray | None]:
    """What one network makes of a picture (H, W, 3) uint8, as `ComparedNetwork.read` gives it.

    Raises:
        PaintingError: it cannot paint so.
    """
    pixels = to_tensor(image)
    return network.read(network.ask(pixels, painting), pixels, painting)


def difference_of_answers(first: Tensor, second: Tensor) -> float:
    """The mean absolute difference of two answers of one shape, 1 where their shapes differ."""
    if first.shape != second.shape:
        return 1.0
    return float((first.float() - second.float()).abs().mean())


def loaded_networks() -> list[str]:
    """Names of the networks that have been loaded by name."""
    return sorted(_loaded)


_loaded: set[str] = set()


@lru_cache(maxsize=32)
def _open(name: str, changed: int, where: str) -> ComparedNetwork:
    """As `load_network`; `changed` and `where` tell when what is remembered no longer holds."""
    network = _opened(name)
    _loaded.add(name)
    return network


def _opened(name: str) -> ComparedNetwork:
    if ":" in name and not Path(name).is_dir():
        return _own_network(name, load_own(name))
    shipped = CHECKPOINTS / name
    try:
        loaded = open_checkpoint(shipped if shipped.is_dir() else name)
    except CheckpointError as error:
        # Visitors read the sentence; where the server keeps its files is not their business.
        raise CheckpointError(str(error).replace(f"{CHECKPOINTS.parent}/", "")) from None
    return compared_checkpoint(name, loaded)


def compared_checkpoint(name: str, loaded: LoadedNetwork) -> ComparedNetwork:
    """A checkpoint's network, on `device()`."""
    network, metadata = loaded.network, loaded.metadata
    is_style = network.name == "cfanet"
    classes = () if is_style else tuple(metadata.get("classes") or _numbered(network.config["num_classes"]))
    # Convolutions, and the loops of habn.layers.loops with them, are fastest with channels innermost.
    network.to(device(), memory_format=torch.channels_last)
    return ComparedNetwork(
        name=name,
        network=network,
        task="style" if is_style else "segmentation",
        norm=network.norm,
        label=KIND_LABELS[network.norm],
        classes=classes,
        palette=palette_of(classes),
        styles=network.config.get("num_styles", 0),
        trunk=metadata.get("trunk"),
        digest=loaded.digest,
        metadata=metadata,
        own=None,
    )


def _own_network(name: str, own: OwnNetwork) -> ComparedNetwork:
    own.network.to(device())
    norm = kind_of_network(own.network)
    classes = tuple(own.classes)
    return ComparedNetwork(
        name=name,
        network=own.network,
        task=own.task or "other",
        norm=norm,
        label=own.label or KIND_LABELS[norm],
        classes=classes,
        palette=palette_of(classes) if own.palette is None else np.array(own.palette, np.uint8),
        styles=0,
        trunk=None,
        digest=_digest(own.network),
        metadata={},
        own=own,
    )


def palette_of(classes: Sequence[str]) -> np.ndarray:
    """A colour for each class, (K, 3) uint8: the streets' own, or hues a golden angle apart."""
    if tuple(classes) == STREET_CLASSES:
        return STREET_PALETTE
    hues = [(k * 0.381966) % 1 for k in range(len(classes))]
    colours = [colorsys.hsv_to_rgb(hue, 0.65 - 0.3 * (k % 2), 0.95 - 0.25 * (k % 3)) for k, hue in enumerate(hues)]
    return np.array([[round(255 * value) for value in colour] for colour in colours], np.uint8).reshape(-1, 3)


def _numbered(count: int) -> list[str]:
    return [f"class {k}" for k in range(count)]


def _digest(network: nn.Module) -> str:
    digest = hashlib.sha256()
    for key, value in network.state_dict().items():
        digest.update(key.encode())
        digest.update(value.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
