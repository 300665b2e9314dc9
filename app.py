"""HABN Explorer as a web page: `python app.py`, or a Space that finds `demo` here.

Environment variables: PORT (7860); HABN_HOST, the address to listen on (127.0.0.1; a Space listens on 0.0.0.0);
HABN_NETWORKS, networks of the owner's, apart by ";" (docs/own-networks.md); HABN_DEVICE, where networks run.
"""

import os
import sys

# Waiting OpenMP threads that spin stall every other process on the machine; torch reads this once, when it is imported.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Gradio would sum up its last 10,000 events, by pandas, after each of them.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(sys.maxsize))

from habn.serving.allocator import return_freed_memory

return_freed_memory()

from habn.ui.serving import build_demo, launch

demo = build_demo()

if __name__ == "__main__":
    launch(demo)
