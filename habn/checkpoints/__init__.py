"""Checkpoints: `files` reads and writes them, `metadata` is what they say of themselves."""

from habn.checkpoints.files import (
    CHECKPOINTS,
    CONFIG,
    WEIGHTS,
    CheckpointError,
    check_weights,
    load_checkpoint,
    read_card,
    read_weights,
    save_checkpoint,
)

__all__ = [
    "CHECKPOINTS",
    "CONFIG",
    "WEIGHTS",
    "CheckpointError",
    "check_weights",
    "load_checkpoint",
    "read_card",
    "read_weights",
    "save_checkpoint",
]
