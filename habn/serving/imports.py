"""How Gradio is imported: without writing type stubs for a class each time that one is made."""

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_WRITES_STUBS = "gradio.component_meta"


def without_stubs() -> None:
    """Let Gradio, when it is imported later, leave out the stubs of its components, and of those derived from them.

    They are for editors. For each of some ninety classes Gradio reads its source and fills a template, at every start:
    half of the time of its import.
    """
    sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name != _WRITES_STUBS:
            return None
        sys.meta_path.remove(self)
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)
        return spec


class _Loader(Loader):
    def __init__(self, loader: Loader):
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self.loader.exec_module(module)
        module.create_or_modify_pyi = lambda *arguments: None  # type: ignore[attr-defined]
