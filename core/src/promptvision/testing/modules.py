"""Import Python files for a test, and remove them from ``sys.modules``."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

__all__ = ["forget_modules", "load_module"]


def load_module(path: Path) -> ModuleType:
    """Import a file as a module named after it, such as a builder of tiny models beside a test.

    Args:
        path: the file; its module is found in ``sys.modules`` from then on.

    Raises:
        ImportError: it is not a Python file.
    """
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def forget_modules(folder: Path) -> None:
    """Remove the imported modules of a folder, so that the next import reads them again."""
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(folder)):
            del sys.modules[name]
