"""Imports a Python file that need not be on the path of modules."""

from __future__ import annotations

import importlib.util
import sys
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import CodeType, ModuleType


class _Loader(SourceFileLoader):
    """Compiles anew each time: a cached compilation may be that of another text of the same second."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002
        return self.source_to_code(self.get_data(self.path), self.path)


def imported(file: str) -> ModuleType:
    """The module of a file, run as a script would be, with the modules beside it; raises what it raises."""
    name = f"_program_{Path(file).stem}"
    directory = str(Path(file).resolve().parent)
    if directory not in sys.path:
        # It stays there: the function may import its neighbours when it is traced.
        sys.path.insert(0, directory)
    spec = importlib.util.spec_from_file_location(name, file, loader=_Loader(name, file))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
