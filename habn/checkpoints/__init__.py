"""Checkpoints: `files` reads and writes them, `metadata` is what they say of themselves, `card` puts it into words."""

from habn.checkpoints.files import (
    CHECKPOINTS,
    CONFIG,
    LARGEST_WEIGHT,
    WEIGHTS,
    CheckpointError,
    LoadedNetwork,
    check_weights,
    list_checkpoints,
    load_checkpoint,
    open_checkpoint,
    read_metadata,
    read_weights,
    refuse_pointer,
)
from habn.checkpoints.hub import HubMixin, push_to_hub, save_checkpoint

__all__ = [
    "CHECKPOINTS",
    "CONFIG",
    "LARGEST_WEIGHT",
    "WEIGHTS",
    "CheckpointError",
    "HubMixin",
    "LoadedNetwork",
    "check_weights",
    "list_checkpoints",
    "load_checkpoint",
    "open_checkpoint",
    "push_to_hub",
    "read_metadata",
    "read_weights",
    "refuse_pointer",
    "save_checkpoint",
]
