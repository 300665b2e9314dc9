"""The page without a server: a folder that any static host serves.

`layout.py` writes down the page that `habn.ui.page` builds: its components, scripts, styles and events. The scripts in
`page/` draw the same components, and answer in the browser what the callbacks answer on a server: `networks.py` writes
the networks for it, `examples.py` the answers for the examples, `runtime.py` fetches ONNX Runtime Web.
"""
