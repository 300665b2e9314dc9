"""The process that serves the page, from before its first import to its end."""

import atexit
import os
import signal
import sys
import tempfile
from functools import cache

from habn.serving.allocator import return_freed_memory
from habn.serving.folder import FolderError, ServerFolder
from habn.serving.imports import without_stubs
from habn.serving.settings import read_settings

_READ_AT_IMPORT = {
    # Waiting OpenMP threads that spin stall every other process on the machine.
    "OMP_WAIT_POLICY": "PASSIVE",
    "GRADIO_ANALYTICS_ENABLED": "False",
    # Gradio would sum up its last 10,000 events, by pandas, after each of them.
    "GRADIO_ANALYTICS_CACHE_FREQUENCY": str(sys.maxsize),
}


@cache
def prepare() -> ServerFolder:
    """Make this process a server's, once: its memory, its folder for files, how Gradio is imported.

    To be called before PyTorch and Gradio are imported. What cannot be ends the process with one sentence.
    """
    for name, value in _READ_AT_IMPORT.items():
        os.environ.setdefault(name, value)
    return_freed_memory()
    without_stubs()
    settings = read_settings()
    try:
        folder = ServerFolder(settings.folder, seconds=settings.kept_seconds, limit=settings.disk_bytes)
    except FolderError as error:
        sys.exit(f"error: {error}")
    atexit.register(folder.close)
    os.umask(0o077)
    os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = str(folder.files)
    return folder


def stop_as_ctrl_c_does() -> None:
    """Let SIGTERM, by which services and containers are stopped, end the process as Ctrl-C does."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def end() -> None:
    """Remove the folder, and end the process whatever its threads are computing."""
    prepare().close()
    sys.stdout.flush()
    os._exit(0)
