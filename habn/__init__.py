"""HABN Explorer: watch batch normalization and hyper-adaptive batch normalization work on a picture.

    import habn

    habn.list_checkpoints()                        what is shipped; list_pairs, list_styles, list_networks
    result = habn.run("photo.jpg")                 both networks of a pair on a picture, as on the page
    network = habn.load_checkpoint(folder)         a trained network, from a folder or the Hub
    with habn.recording(network) as records:       what each of its normalization layers does
    habn.convert_batch_norm(network)               a network of your own, with HyperAdaptiveBatchNorm2d

What is named here is imported when it is first used, so `import habn` itself takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # `as` tells type checkers that a name is public
    from habn.checkpoints import HubMixin as HubMixin
    from habn.checkpoints import list_checkpoints as list_checkpoints
    from habn.checkpoints import load_checkpoint as load_checkpoint
    from habn.checkpoints import push_to_hub as push_to_hub
    from habn.checkpoints import save_checkpoint as save_checkpoint
    from habn.comparison.own import OwnNetwork as OwnNetwork
    from habn.comparison.painting import Painting as Painting
    from habn.comparison.request import Request as Request
    from habn.comparison.request import Result as Result
    from habn.comparison.request import list_pairs as list_pairs
    from habn.data.styles import list_styles as list_styles
    from habn.errors import HabnError as HabnError
    from habn.hooks.record import LayerRecord as LayerRecord
    from habn.hooks.recording import recording as recording
    from habn.layers import HyperAdaptiveBatchNorm as HyperAdaptiveBatchNorm
    from habn.layers import HyperAdaptiveBatchNorm1d as HyperAdaptiveBatchNorm1d
    from habn.layers import HyperAdaptiveBatchNorm2d as HyperAdaptiveBatchNorm2d
    from habn.layers import HyperAdaptiveBatchNorm3d as HyperAdaptiveBatchNorm3d
    from habn.layers import convert_batch_norm as convert_batch_norm
    from habn.layers import parameter_overhead as parameter_overhead
    from habn.layers import revert_batch_norm as revert_batch_norm
    from habn.library.comparison import Comparison as Comparison
    from habn.library.comparison import run as run
    from habn.networks import build_network as build_network
    from habn.networks import list_networks as list_networks

_MODULES = {
    "habn.checkpoints": ("HubMixin", "list_checkpoints", "load_checkpoint", "push_to_hub", "save_checkpoint"),
    "habn.comparison.own": ("OwnNetwork",),
    "habn.comparison.painting": ("Painting",),
    "habn.comparison.request": ("Request", "Result", "list_pairs"),
    "habn.data.styles": ("list_styles",),
    "habn.errors": ("HabnError",),
    "habn.hooks.record": ("LayerRecord",),
    "habn.hooks.recording": ("recording",),
    "habn.layers": (
        "HyperAdaptiveBatchNorm",
        "HyperAdaptiveBatchNorm1d",
        "HyperAdaptiveBatchNorm2d",
        "HyperAdaptiveBatchNorm3d",
        "convert_batch_norm",
        "parameter_overhead",
        "revert_batch_norm",
    ),
    "habn.library.comparison": ("Comparison", "run"),
    "habn.networks": ("build_network", "list_networks"),
}
"""Where each public name is defined; a test holds it to what a type checker is told above."""

_PLACES = {name: module for module, names in _MODULES.items() for name in names}
__all__ = sorted(_PLACES)


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module 'habn' has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_PLACES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
