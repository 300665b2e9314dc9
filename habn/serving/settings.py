"""What the server is told by its environment."""

import os
import socket
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MEGABYTE = 1_000_000
PORTS = 65535


@dataclass(frozen=True, kw_only=True)
class ServerSettings:
    """How the page is served; in brackets the environment variable that says so.

    Attributes:
        host: the address to listen on [HABN_HOST], 127.0.0.1 unless set; on a Space 0.0.0.0.
        port: where [PORT], 7860 unless set.
        names: under which the page is reached besides those of this machine [HABN_HOSTS, with commas between]; `*` for
            any, `*.name` for all below a name.
        kept_seconds: for how long a photo is kept after it was used [HABN_KEEP], two hours unless set.
        disk_bytes: what photos and what is made of them may take together [HABN_DISK, megabytes], 1 GB unless set.
        folder: where the folder for them is made [GRADIO_TEMP_DIR]; None for the system's temporary folder.
    """

    host: str
    port: int
    names: frozenset[str]
    kept_seconds: int
    disk_bytes: int
    folder: Path | None

    def check_address(self) -> None:
        """End the process with one sentence where nothing can listen at host and port."""
        if not _can_listen(self.host, 0):
            sys.exit(
                f"error: HABN_HOST is {self.host!r}, which is no address of this machine; try 127.0.0.1 or 0.0.0.0."
            )
        if not _can_listen(self.host, self.port):
            sys.exit(f"error: port {self.port} is taken; choose another one, such as PORT={self.port % PORTS + 1}.")


@cache
def read_settings() -> ServerSettings:
    """The settings in the environment; what is wrong with them ends the process with one sentence."""
    on_a_space = "SPACE_ID" in os.environ
    names = {name.strip() for name in os.environ.get("HABN_HOSTS", "").split(",")} - {""}
    parent = os.environ.get("GRADIO_TEMP_DIR")
    return ServerSettings(
        host=os.environ.get("HABN_HOST", "0.0.0.0" if on_a_space else "127.0.0.1"),
        port=_number("PORT", 7860, PORTS),
        names=frozenset(names | ({"*.hf.space", "*.huggingface.co"} if on_a_space else set())),
        kept_seconds=_number("HABN_KEEP", 7200, 31_536_000),
        disk_bytes=_number("HABN_DISK", 1000, 1_000_000) * MEGABYTE,
        folder=Path(parent) if parent else None,
    )


def _number(name: str, default: int, highest: int) -> int:
    value = os.environ.get(name, str(default))
    if not (value.isdecimal() and 0 < int(value) <= highest):
        sys.exit(f"error: {name} is {value!r}; it must be a number from 1 to {highest}.")
    return int(value)


def _can_listen(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
