"""What the page does when the server does not answer."""

import json
from pathlib import Path

from habn.ui import words


def head() -> str:
    """connection.js for the head of the page, with its words."""
    script = Path(__file__).with_name("connection.js").read_text(encoding="utf-8")
    return f"<script>(() => {{\nconst TABLE = {json.dumps(words.table('server'))};\n{script}}})();</script>"
