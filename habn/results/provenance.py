"""Where a measured number comes from: the machine and the state of the code."""

import os
import platform
import subprocess
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]


def short_path(path: Path) -> str:
    """The last folder and the name: a result says what was measured, and not where somebody keeps it."""
    return f"{path.parent.name}/{path.name}".lstrip("/")


def describe_hardware(accelerator: str | None = None) -> str:
    """ "2 cores of an AMD EPYC", or the name of an accelerator where one did the work."""
    if accelerator is not None:
        return accelerator
    return (
        f"{_cores(len(os.sched_getaffinity(0)))} of {_processor()}"
        if hasattr(os, "sched_getaffinity")
        else _processor()
    )


def _cores(count: int) -> str:
    return "1 core" if count == 1 else f"{count} cores"


def describe_commit() -> str:
    """The commit of this working tree, with "+" where it holds changes; "unknown" without one, as where installed."""
    try:
        if Path(_git("rev-parse", "--show-toplevel").strip()) != _ROOT:  # an environment may lie in a tree of others
            return "unknown"
        commit = _git("rev-parse", "--short", "HEAD").strip()
        # Files of results are what a measurement writes.
        changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!results")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return commit + ("+" if changed.strip() else "")


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True).stdout


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
