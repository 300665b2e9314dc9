"""HABN Explorer as a web page: `python app.py`, or a Space that finds `demo` here.

Environment variables: those of `habn.serving.settings`, PORT and HABN_HOST among them; HABN_NETWORKS, networks of the
owner's, apart by ";" (docs/own-networks.md); HABN_DEVICE, where networks run.
"""

from habn.serving.process import prepare

prepare()  # before Gradio and PyTorch are imported

from habn.ui.serving import build_demo, launch

demo = build_demo()

if __name__ == "__main__":
    launch(demo)
