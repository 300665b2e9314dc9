"""The state of a run on disk: weights, their average, optimizer and progress in one safetensors file.

Nothing is ever unpickled, and no random states are needed: see `habn.training.loop`.
"""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from habn.errors import HabnError

STATE = "state.safetensors"


def save_state(
    network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, progress: dict, path: Path
) -> None:
    """Write the state to a file, which is replaced as a whole."""
    tensors = {
        f"{part}.{k}": v.contiguous()
        for part, module in (("network", network), ("average", average))
        for k, v in module.state_dict().items()
    }
    for group in optimizer.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            for key, value in optimizer.state[parameter].items():
                tensors[f"optimizer.{name}.{key}"] = value.contiguous()
    partial = path.with_suffix(".partial")
    save_file(tensors, partial, {"progress": json.dumps(progress)})
    partial.replace(path)


def load_state(
    network: nn.Module, average: nn.Module, optimizer: torch.optim.Optimizer, path: Path, partial: bool = False
) -> dict:
    """Put a state into a network, its average and their optimizer.

    Args:
        network, average, optimizer: of the run that goes on.
        path: a file that `save_state` wrote.
        partial: whether the state may lack what HABN adds, and nothing else, as that of a batch-normalized trunk does.

    Returns:
        The progress that was saved with it.

    Raises:
        HabnError: when the file is damaged or of another network.
    """
    try:
        file = safe_open(path, "pt")
    except SafetensorError:
        raise HabnError(f"{path} is damaged; remove the folder of the run and train it again.") from None
    with file:
        progress = json.loads(file.metadata()["progress"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118, safe_open is no dict
    weights, averaged = _below("network.", tensors), _below("average.", tensors)
    own = network.state_dict()
    lacking = {
        key for key in own.keys() - weights.keys() if not (partial and {"encoder", "search"} & {*key.split(".")})
    }
    odd = sorted(lacking | weights.keys() - own.keys())
    odd += [key for key in own.keys() & weights.keys() if own[key].shape != weights[key].shape]
    if odd:
        raise HabnError(
            f"{path} is the state of another network (see {odd[0]!r}); give another --run or --branch-from."
        )
    network.load_state_dict({**own, **weights})
    average.load_state_dict({**network.state_dict(), **averaged})
    for group in optimizer.param_groups:
        for name, parameter in zip(group["names"], group["params"], strict=True):
            if state := _below(f"optimizer.{name}.", tensors):
                optimizer.state[parameter] = {k: v if k == "step" else v.to(parameter) for k, v in state.items()}
    return progress


def _below(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose keys begin with a prefix, by the rest of their keys."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
