"""Four stops on the photo that is shown: what BN does, where it fails, what *s* sees, what HABN changes.

Each is one sentence, one picture and one control, which goes through the frames that `build_stop` makes.
"""

from pathlib import Path

from habn.ui import words
from habn.ui.compare.story.stops import STOPS
from habn.ui.part import Part


class Story(Part):
    """Stands in the place of the answer while it is told; its value is what `build_stop` returns, or None.

    Event `select`, with data {"stop": number}: that stop is asked for.
    """

    def __init__(self, value: dict | None = None, *, visible: bool = True, render: bool = True):
        super().__init__(
            value,
            folder=Path(__file__).parent,
            name="story",
            scripts=("story.js",),
            table=words.table("story"),
            constants={"STOPS": STOPS},
            visible=visible,
            render=render,
        )
