"""The folder for what a running server writes: uploads, pictures, files to take along.

It belongs to one process and its owner alone. What is old goes, the oldest also when there is too much; all of it goes
when the process ends, and when the next one starts if this one was killed.
"""

import fcntl
import logging
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from habn.errors import HabnError

log = logging.getLogger(__name__)

PREFIX = "habn-explorer-"
SECONDS_BETWEEN_LOOKS = 15
FULL = 0.8
"""The share of the limit that is left when there was too much."""


class FolderError(HabnError):
    """One sentence on a folder that cannot be used, and what to do."""


class ServerFolder:
    """A folder of this process under `parent`, made at once; `close` removes it.

    Folders that processes of the same user left there when they were killed are removed first. Whether a process still
    lives is told by a lock that ends with it.

    Args:
        parent: where; by default the system's folder for temporary files.
        seconds: how long a file is kept after it was written or used.
        limit: bytes of all files together.

    Raises:
        FolderError: nothing can be written there.
    """

    def __init__(self, parent: Path | None = None, *, seconds: float, limit: int):
        self.seconds, self.limit = seconds, limit
        parent = parent or Path(tempfile.gettempdir())
        prefix = f"{PREFIX}{os.getuid()}-"
        try:
            parent.mkdir(parents=True, exist_ok=True)
            _remove_left(parent, prefix)
            self.path = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))  # for its owner alone
            self._lock = _locked(self.path)
            (self.path / "files").mkdir(mode=0o700)
        except OSError as error:
            raise FolderError(
                f"Nothing can be written in {parent} ({error.strerror}); free some space, or name another folder as "
                "GRADIO_TEMP_DIR."
            ) from None
        self.files = self.path / "files"
        self._kept: set[Path] = set()
        self._is_closed = threading.Event()

    def start(self) -> None:
        """Keep what is there now for good, and look from now on after what comes."""
        self._kept = {path for path, _ in _files(self.files)}
        threading.Thread(target=self._look, name="folder", daemon=True).start()

    def tidy(self) -> None:
        """Remove what is old, and the oldest while there is too much."""
        files = sorted(((state.st_mtime, state.st_size, path) for path, state in _files(self.files)))
        files = [file for file in files if file[2] not in self._kept]
        total = sum(size for _, size, _ in files)
        allowed = self.limit if total <= self.limit else FULL * self.limit
        oldest = time.time() - self.seconds
        for written, size, path in files:
            # A clock that was set back makes files of the future: they are as old as they can be.
            if written >= oldest and written <= time.time() + self.seconds and total <= allowed:
                continue
            total -= size
            path.unlink(missing_ok=True)
            with suppress(OSError):  # not empty
                path.parent.rmdir()

    def close(self) -> None:
        """Remove the folder and all that is in it."""
        if self._is_closed.is_set():
            return
        self._is_closed.set()
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)

    def _look(self) -> None:
        while not self._is_closed.wait(SECONDS_BETWEEN_LOOKS):
            try:
                self.tidy()
            except OSError as error:
                log.error("Files could not be removed: %s", error.strerror)


def _files(folder: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for place, _, names in os.walk(folder):
        for name in names:
            path = Path(place, name)
            with suppress(FileNotFoundError):
                yield path, path.lstat()


def _locked(folder: Path) -> int:
    lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return lock


def _remove_left(parent: Path, prefix: str) -> None:
    for folder in parent.glob(f"{prefix}*"):
        try:
            lock = _locked(folder)
        except OSError:  # its process lives, or it is another user's
            continue
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)
