"""Checkpoints: a folder, or a repository of the Hugging Face Hub with the same files.

    config.json          what was built and how it was trained
    model.safetensors    the weights
    README.md            the model card

Only safetensors are read, nothing is ever unpickled, and loading is strict: a file that does not fit is refused in
one sentence.
"""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # of the client that this huggingface_hub uses, httpx or its successor
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from habn.errors import HabnError
from habn.layers.normalization import kind_of_network
from habn.networks import build_network
from habn.networks.network import Network
from habn.shipped import shipped

CONFIG, WEIGHTS, CARD = "config.json", "model.safetensors", "README.md"
CHECKPOINTS = shipped("checkpoints")
"""Those that come with this project."""
LARGEST_WEIGHT, LARGEST_VARIANCE = 1e6, 1e12
"""No network learns such values: the largest shipped weight is 3.6, the largest running mean 17 and variance 172. A
layer multiplies by its weights, so a network with larger ones leaves what float32 can hold within a few layers."""
HUB_DEADLINE = 10  # seconds for the Hub's first answer; offline, its own default blocks for much longer


class CheckpointError(HabnError):
    """One sentence on a checkpoint that cannot be loaded: which file, which key, and what to do."""


@dataclass(frozen=True, eq=False)
class LoadedNetwork:
    """A network and what its checkpoint says of it.

    Attributes:
        network: in evaluation mode.
        metadata: the content of config.json: network, norm, config, classes or styles, data, protocol, metrics.
        digest: of the file of its weights, SHA-256.
    """

    network: Network
    metadata: dict[str, Any]
    digest: str


def list_checkpoints() -> tuple[str, ...]:
    """The checkpoints that come with this project, by the names that `run` and `load_checkpoint` take."""
    return tuple(sorted(path.parent.name for path in CHECKPOINTS.glob(f"*/{WEIGHTS}")))


def load_checkpoint(folder_or_hub_id: str | Path) -> Network:
    """The network of a checkpoint, in evaluation mode; `open_checkpoint` has its metadata besides.

    Args:
        folder_or_hub_id: the name of a shipped checkpoint, a folder with config.json and model.safetensors, or a Hub
            id such as "user/spvcnn-habn-camvid".

    Raises:
        CheckpointError: when there is no such checkpoint, or a file is damaged or does not fit the network.
    """
    return open_checkpoint(folder_or_hub_id).network


def open_checkpoint(folder_or_hub_id: str | Path) -> LoadedNetwork:
    """The network of a checkpoint with its metadata; arguments and errors as those of `load_checkpoint`."""
    folder = find_checkpoint(folder_or_hub_id)
    metadata = read_metadata(folder)
    try:
        network = build_network(metadata["network"], metadata["norm"], **metadata["config"])
    except (TypeError, ValueError, RuntimeError) as error:
        reason = str(error).split("\n")[0].rstrip(".")
        raise CheckpointError(
            f"{folder / CONFIG} describes a network that cannot be built ({reason}); download or train it again, or "
            "name one of your own as module:factory@DIR."
        ) from None
    weights = read_weights(folder / WEIGHTS)
    check_weights(network.state_dict(), weights, folder / WEIGHTS)
    network.load_state_dict(weights)
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest()
    return LoadedNetwork(network.eval(), metadata, digest)


def write_checkpoint(network: nn.Module, folder: str | Path, metadata: dict, card: str) -> None:
    """Write a checkpoint's three files.

    Args:
        network: from `build_network`, or one's own.
        folder: is made if missing; its three files are overwritten.
        metadata: whatever config.json shall hold beside network, norm and config.
        card: the model card, Markdown.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    built_from = {"network": type(network).__qualname__, "norm": kind_of_network(network), "config": {}}
    if isinstance(network, Network):
        built_from = {"network": network.name, "norm": network.norm, "config": network.config}
    config = {**built_from, **metadata}
    # A copy of each, since a file may not hold one memory under two names.
    weights = {key: value.detach().cpu().contiguous().clone() for key, value in network.state_dict().items()}
    save_file(weights, folder / WEIGHTS)
    (folder / CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    (folder / CARD).write_text(card)


def read_weights(path: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file.

    Raises:
        CheckpointError: when the file is missing or damaged.
    """
    try:
        refuse_pointer(path)
        return load_file(path)
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; download or train the checkpoint again.") from None
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged ({error}); download or train the checkpoint again.") from None
    except OSError as error:
        raise _unreadable(path, error) from None


def refuse_pointer(path: Path) -> None:
    """Raise a CheckpointError where a file is what Git leaves in the place of one that Git LFS keeps."""
    with path.open("rb") as file:
        if file.read(64).startswith(b"version https://git-lfs"):
            raise CheckpointError(f"{path} only points to the file that Git LFS keeps; fetch that with git lfs pull.")


def _unreadable(path: Path, error: OSError) -> CheckpointError:
    return CheckpointError(f"{path} cannot be read ({error.strerror or error}); check the file and its permissions.")


def check_weights(expected: dict[str, Tensor], weights: dict[str, Tensor], path: Path) -> None:
    """Hold weights from a file against those of the network that they are for.

    Raises:
        CheckpointError: on the first missing, unknown, misshapen, mistyped, non-finite, huge or impossible tensor.
    """
    remedy = f"config.json and {path.name} must come from the same training run."
    for key in expected:
        if key not in weights:
            raise CheckpointError(f"{path} lacks the key {key!r}; {remedy}")
    for key, value in weights.items():
        if key not in expected:
            raise CheckpointError(f"{path} has a key {key!r} that the network does not know; {remedy}")
        shape = tuple(expected[key].shape)
        if tuple(value.shape) != shape:
            raise CheckpointError(f"{path}: {key!r} has shape {tuple(value.shape)} where {shape} is needed; {remedy}")
        if value.is_floating_point() != expected[key].is_floating_point():
            raise CheckpointError(
                f"{path}: {key!r} is of type {value.dtype} where {expected[key].dtype} is needed; {remedy}"
            )
        value = value.float() if value.is_floating_point() else value
        bound = LARGEST_VARIANCE if key.endswith("running_var") else LARGEST_WEIGHT
        if not torch.isfinite(value).all():
            raise CheckpointError(
                f"{path}: {key!r} holds values that are not finite; train or download the checkpoint again."
            )
        if value.is_floating_point() and (value.abs() > bound).any():
            raise CheckpointError(
                f"{path}: {key!r} holds {value.abs().max():.0e}, where nothing above {bound:.0e} makes sense; train or "
                "download the checkpoint again."
            )
        if key.endswith("running_var") and (value < 0).any():
            raise CheckpointError(f"{path}: {key!r} holds a negative variance; train or download the checkpoint again.")


def find_checkpoint(folder_or_hub_id: str | Path, **how: Any) -> Path:
    """The folder of a checkpoint, which is fetched where it lies on the Hub.

    Args:
        folder_or_hub_id: as of `load_checkpoint`.
        how: further arguments of `huggingface_hub.snapshot_download`, such as revision and token.

    Raises:
        CheckpointError: when there is none, or it does not come.
    """
    folder = Path(folder_or_hub_id)
    if folder.is_dir():
        return folder
    if len(folder.parts) == 1 and (CHECKPOINTS / folder / WEIGHTS).is_file():
        return CHECKPOINTS / folder
    if not re.fullmatch(r"\w[\w.-]*/[\w.-]+", str(folder_or_hub_id)) or folder.parent.is_dir():
        raise CheckpointError(
            f"There is no checkpoint folder {str(folder)!r}; give a folder or a Hub id such as 'user/name', or one "
            f"of {', '.join(list_checkpoints())}."
        )
    return _fetch(str(folder_or_hub_id), how)


def _fetch(hub_id: str, how: dict[str, Any]) -> Path:
    """The folder of the Hub's cache that holds a repository, from the Hub where something of it is not there yet."""
    local_only, again = how.pop("local_files_only", False), how.pop("force_download", False)
    wanted = {**how, "repo_id": hub_id, "allow_patterns": [CONFIG, WEIGHTS, CARD]}
    remedy = "check the name or the connection"
    try:
        with suppress(LocalEntryNotFoundError):
            folder = Path(snapshot_download(**wanted, local_files_only=True))
            if not again and not _missing(folder):  # a snapshot is there as soon as one of its files is
                return folder
        if local_only:
            raise CheckpointError(f"{hub_id} is not in the Hub's cache on this disk; leave out local_files_only.")
        HfApi(token=how.get("token")).model_info(hub_id, timeout=HUB_DEADLINE)
        wanted |= {"force_download": True} if again else {}
        folder = Path(snapshot_download(**wanted, etag_timeout=HUB_DEADLINE))
        missing = _missing(folder)
        if not missing:
            return folder
        problem, remedy = f"the Hub's repository lacks {missing[0]}", f"a checkpoint holds {CONFIG} and {WEIGHTS}"
    except GatedRepoError:
        problem = "its repository is gated"
        remedy = f"accept its terms at https://huggingface.co/{hub_id}, then log in with hf auth login"
    except (RepositoryNotFoundError, HFValidationError):
        problem = "the Hub knows no such repository, or it is private"
        remedy = "check the name, or log in with hf auth login"
    except HfHubHTTPError as error:
        problem, remedy = f"the Hub answered with error {error.response.status_code}", "try again later"
    except (HTTPError, ConnectionError, TimeoutError, LocalEntryNotFoundError):
        problem = "the Hub could not be reached"
    except OSError as error:
        problem = f"the Hub's cache on this disk failed ({error.strerror or error})"
        remedy = "make room, or set HF_HOME to a folder that can be written"
    raise CheckpointError(f"There is no checkpoint folder {hub_id!r}, and {problem}; {remedy}.")


def _missing(folder: Path) -> list[str]:
    return [name for name in (CONFIG, WEIGHTS) if not (folder / name).is_file()]


def read_metadata(folder: Path) -> dict:
    """What the config.json of a checkpoint's folder holds.

    Raises:
        CheckpointError: when it is missing or damaged, or does not say which network it is.
    """
    path = folder / CONFIG
    try:
        refuse_pointer(path)
        metadata = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise CheckpointError(f"{path} is missing; a checkpoint folder holds {CONFIG} and {WEIGHTS}.") from None
    except CheckpointError:
        raise
    except OSError as error:
        raise _unreadable(path, error) from None
    except (ValueError, RecursionError):  # as JSONDecodeError and UnicodeDecodeError are, and digits without end
        raise CheckpointError(f"{path} is not valid JSON; download or train the checkpoint again.") from None
    for key in ("network", "norm", "config"):
        if not isinstance(metadata, dict) or key not in metadata:
            raise CheckpointError(f"{path} lacks the key {key!r}; download or train the checkpoint again.")
    return metadata
