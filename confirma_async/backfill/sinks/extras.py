"""Whether an optional dependency is there."""

from __future__ import annotations

import importlib


def is_installed(module: str) -> bool:
    """Return whether the module can be imported; it is imported to find out."""
    try:
        importlib.import_module(module)
    except ImportError:
        return False
    return True
