"""ONNX Runtime Web, from the npm registry when a site is built: its visitors ask no other host for it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from habn.ui.site.layout import SiteError

PACKAGE, VERSION = "onnxruntime-web", "1.30.0"
FILES = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""The build for WebAssembly alone, with SIMD and threads."""


def fetch_runtime(folder: Path) -> None:
    """Put the runtime's files and its licence into a folder.

    Raises:
        SiteError: when there is no npm, or it cannot fetch the package.
    """
    # That of this environment first, which the tests bring along: npm itself looks for node on the path.
    path = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)])
    npm = shutil.which("npm", path=path)
    if npm is None:
        raise SiteError("The site needs npm, which fetches ONNX Runtime Web; install Node.js.")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as scratch:
        command = [npm, "pack", f"{PACKAGE}@{VERSION}", "--json", "--pack-destination", scratch]
        answer = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | {"PATH": path})
        if answer.returncode:
            reason = answer.stderr.strip().splitlines()[-1:] or ["no reason given"]
            raise SiteError(f"npm could not fetch {PACKAGE} {VERSION} ({reason[0]}); check the connection.")
        archive = Path(scratch) / json.loads(answer.stdout)[0]["filename"]
        shutil.unpack_archive(archive, scratch, filter="data")
        package = Path(scratch) / "package"
        for name in FILES:
            shutil.copy(package / "dist" / name, folder)
        (folder / "LICENSE").write_text(f"{PACKAGE} {VERSION}, MIT licence, Copyright (c) Microsoft Corporation.\n")
