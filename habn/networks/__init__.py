"""The networks, by name. No two variants of one differ in anything but normalization."""

from torch import nn

from habn.errors import HabnError
from habn.layers import parameter_overhead
from habn.layers.normalization import FiLM2d, build_conditional_norm_layer, build_norm_layer
from habn.networks.cfanet import CFANet
from habn.networks.network import Network
from habn.networks.spvcnn import SPVCNN

NETWORKS = ("spvcnn", "cfanet")


def list_networks() -> tuple[str, ...]:
    """The networks that `build_network` knows; see `list_checkpoints` for trained ones."""
    return NETWORKS


def build_network(name: str, norm: str, norm_options: dict | None = None, **config) -> Network:
    """A network with fresh weights.

    Args:
        name: "spvcnn" (segmentation) or "cfanet" (style transfer).
        norm: "bn", "habn" (the source text's formula), "habn-plus" (ours), "in", "film", or "adain" (style transfer
            only).
        norm_options: keyword arguments of the normalization's class.
        config: keyword arguments of the network's class.

    Returns:
        The network, with name, norm and everything else that it was built from as `network.name`, `network.norm`,
        `network.config`.

    Raises:
        HabnError: on an unknown name or norm.
    """
    options = norm_options or {}
    if name == "spvcnn":
        config.setdefault("num_classes", 11)
        network: Network = SPVCNN(build_norm_layer(norm, **options), **config)
    elif name == "cfanet":
        num_styles = config.setdefault("num_styles", 8)
        network = CFANet(build_conditional_norm_layer(norm, num_styles, **options), **config)
    else:
        raise HabnError(f"There is no network {name!r}; choose one of {', '.join(NETWORKS)}.")
    network.name, network.norm = name, norm
    network.config = {**({"norm_options": norm_options} if norm_options else {}), **config}
    return network


def count_parameters(network: nn.Module) -> dict[str, int]:
    """How many `parameters` a network has, and how many are `added` to those of the same network with BN.

    HABN adds encoders, deltas and gates, FiLM its conditions; IN adds none, and AdaIN has fewer than BN.
    """
    overhead = parameter_overhead(network)
    conditions = [layer.condition for layer in network.modules() if isinstance(layer, FiLM2d)]
    return {
        "parameters": overhead.total,
        "added": overhead.added + sum(p.numel() for condition in conditions for p in condition.parameters()),
    }
