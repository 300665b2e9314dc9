"""The keyboard's way to the line between the two answers, which Gradio gives to pointers alone."""

from pathlib import Path

from habn.ui import words
from habn.ui.part import Part


class LineControl(Part):
    """A slider that moves the line of the `gr.ImageSlider` beside it; it is seen while it has the focus."""

    def __init__(self, *, render: bool = True):
        super().__init__(
            folder=Path(__file__).parent,
            name="line_control",
            scripts=("line_control.js",),
            table=words.table("compare"),
            render=render,
        )
