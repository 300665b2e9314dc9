"""The page's named endpoints for programs; they do not depend on the layout. docs/api.md has examples."""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

import gradio as gr
from gradio.components import Component

from habn.ui.endpoints import callbacks, values


def add_endpoints(concurrency_id: str) -> None:
    """Add `/networks`, `/compare`, `/classes`, `/layers`, `/inspect` and `/experiment` to the page under construction.

    Args:
        concurrency_id: of the events that run a network, one at a time.
    """
    with gr.Group(visible=False):
        request, painting = values.build_request(), values.build_painting()
        layer, change = values.build_layer(), values.build_change()
        layers = values.build_layers()
        gr.Button().click(callbacks.list_networks, None, values.build_networks(), api_name="networks", queue=False)
        # The newest inputs stand last: who gives them by position and knows none of these gets what it always got.
        for name, callback, inputs, outputs in (
            ("compare", callbacks.compare, [*request, *painting], values.build_comparison()),
            ("classes", callbacks.classify, request[:2], values.build_classes()),
            ("layers", callbacks.list_layers, [*request, *painting], layers),
            ("inspect", callbacks.inspect, [*request, layer, *painting], [layers, values.build_factors()]),
            ("experiment", callbacks.experiment, [*request, *change, *painting], values.build_outcome()),
        ):
            gr.Button().click(
                tell(callback, inputs),
                inputs,
                outputs,
                api_name=name,
                concurrency_id=concurrency_id,
                concurrency_limit=1,
            )


def tell(callback: Callable, inputs: list[Component]) -> Callable:
    """The callback, whose docstring tells of each input what `values` says of it: MCP reads it there."""
    names = list(signature(callback).parameters)
    lines = [f"    {name}: {given.api_info()['description']}" for name, given in zip(names, inputs, strict=True)]

    @wraps(callback)
    def told(*arguments: Any) -> Any:
        return callback(*arguments)

    told.__doc__ = "\n".join([callback.__doc__ or "", "", "Args:", *lines])
    return told
