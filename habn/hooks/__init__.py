"""Hooks on a network during a pass: `recording` watches its normalization layers, `intervention` changes them."""
