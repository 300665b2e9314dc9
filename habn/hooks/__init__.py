"""Hooks on a network: `recording` notes what each normalization layer does, `intervention` changes how it adapts."""
