"""The folder for what a running server writes: whose it is, how long, how much, and what is left of it."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from habn.serving.folder import PREFIX, FolderError, ServerFolder


def make(parent: Path, seconds: float = 60, limit: int = 10_000) -> ServerFolder:
    return ServerFolder(parent, seconds=seconds, limit=limit)


def write(folder: ServerFolder, name: str, size: int = 100, age: float = 0) -> Path:
    path = folder.files / name / "file.bin"
    path.parent.mkdir()
    path.write_bytes(bytes(size))
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_it_is_for_its_owner_alone_and_goes_when_it_is_closed(tmp_path):
    folder = make(tmp_path)
    for path in (folder.path, folder.files):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    write(folder, "a")
    folder.close()
    assert not list(tmp_path.iterdir())


def test_what_is_old_goes_and_what_was_there_at_the_start_stays(tmp_path):
    folder = make(tmp_path)
    shipped = write(folder, "shipped", age=1000)
    folder.start()
    old, new, future = write(folder, "old", age=61), write(folder, "new", age=30), write(folder, "future", age=-1000)
    folder.tidy()
    assert shipped.exists() and new.exists() and not old.parent.exists() and not future.exists()
    folder.close()


def test_when_there_is_too_much_the_oldest_go_first(tmp_path):
    folder = make(tmp_path)
    paths = [write(folder, str(k), size=2500, age=40 - k) for k in range(5)]
    folder.tidy()
    assert [path.exists() for path in paths] == [False, False, True, True, True]
    folder.close()


def test_what_a_killed_process_left_goes_at_the_next_start(tmp_path):
    program = (
        "import sys, pathlib, time; from habn.serving.folder import ServerFolder\n"
        "folder = ServerFolder(pathlib.Path(sys.argv[1]), seconds=60, limit=1000)\n"
        "(folder.files / 'photo').write_bytes(b'x'); print('ready', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"ready\n"
        (left,) = tmp_path.iterdir()
        beside = make(tmp_path)
        assert (left / "files" / "photo").exists(), "its process lives"
        beside.close()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
    assert left.exists() and left.name.startswith(PREFIX)
    folder = make(tmp_path)
    assert not left.exists() and folder.path.exists()
    folder.close()


def test_a_folder_where_nothing_can_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(FolderError, match=r"Nothing can be written in .*; free some space, or name another folder"):
        make(tmp_path / "file" / "below")
