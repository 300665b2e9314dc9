"""What `python -m habn` can do; nothing but the commands' other names imports a module of this room."""

import logging
import sys
from collections.abc import Callable

from habn.errors import HabnError


def end_with_a_sentence(command: Callable[[], object], stopped: str = "Stopped.") -> None:
    """Run a command; what a person can put right ends it with one sentence, and so does Ctrl-C.

    Whatever else goes wrong keeps its traceback: after hours of training it is the evidence.
    """
    logging.basicConfig(format="%(message)s")
    logging.getLogger("habn").setLevel(logging.INFO)
    try:
        command()
    except (HabnError, OSError) as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(stopped)
