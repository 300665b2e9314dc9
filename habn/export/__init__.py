"""Networks for other runtimes: `graph` is what is exported, `files` writes it as ONNX and holds it against PyTorch."""
