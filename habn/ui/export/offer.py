"""A file that the visitor asked for: it is saved when it arrives, and can be saved again."""

from pathlib import Path

from habn.ui import words
from habn.ui.part import Part


class Offer(Part):
    """A download. Its value is {"file": its FileData, "name": of the saved file, "text": what to read}, or None."""

    def __init__(self, value: dict | None = None, *, render: bool = True):
        super().__init__(
            value,
            folder=Path(__file__).parent,
            name="offer",
            scripts=("offer.js",),
            table=words.table("export"),
            render=render,
        )
