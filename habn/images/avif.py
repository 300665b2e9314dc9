"""Decodes an AVIF file in a process of its own, whose memory and time are bounded.

The size that the file's header states need not be that of the AV1 frames in it, which only the decoder sees: a file of
1,849 bytes whose header says 64 x 64 pixels took 296 MB, and Pillow has no setting for it. As a program this file is
that process, and imports nothing but Pillow.
"""

import io
import subprocess
import sys
from contextlib import suppress

from PIL import AvifImagePlugin, Image

BYTES = 300_000_000  # of addresses; the largest picture that is let in takes 175 MB of them, of 8 bits per channel
SECONDS = 4


def decode(data: bytes, size: tuple[int, int], mode: str, factor: int) -> Image.Image:
    """The first frame of a file of that size and mode, averaged over squares of `factor` pixels.

    Raises:
        subprocess.SubprocessError: it is damaged, or takes too much memory or time.
    """
    command = [sys.executable, "-I", __file__, str(factor)]
    answer = subprocess.run(command, input=data, capture_output=True, timeout=3 * SECONDS, check=True)
    width, height = (-(-side // factor) for side in size)
    return Image.frombytes(mode, (width, height), answer.stdout)


def _bound() -> None:
    with suppress(ImportError):  # there is no such module on Windows
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main(factor: int) -> None:
    _bound()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # each thread takes addresses
    image = AvifImagePlugin.AvifImageFile(io.BytesIO(sys.stdin.buffer.read()))
    sys.stdout.buffer.write(image.reduce(factor).tobytes())


if __name__ == "__main__":
    _main(int(sys.argv[1]))
