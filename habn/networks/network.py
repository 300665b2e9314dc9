"""What every network of this project is, beside a PyTorch module."""

from typing import Any

from torch import nn


class Network(nn.Module):
    """A network that knows what it was built from.

    Attributes:
        name, norm, config: the arguments of `habn.networks.build_network` that build it again.
    """

    name: str
    norm: str
    config: dict[str, Any]
