"""Files that people open: whole under their name, or not there at all."""

from __future__ import annotations

import importlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..backfill.sinks.durable import sync_folder
from ..errors import ConfigurationError, TargetError


def require_path(path: object, suffixes: tuple[str, ...]) -> Path:
    """Return where to write, links resolved; raises `ConfigurationError` unless it ends in one of `suffixes`."""
    if not isinstance(path, str | os.PathLike) or not isinstance(name := os.fspath(path), str):
        raise ConfigurationError(f"the file to write must be a path, not {type(path).__name__}")
    if "\0" in name:
        raise ConfigurationError("the file to write must be a path: it holds a NUL character")
    if Path(name).suffix.lower() not in suffixes:
        raise ConfigurationError(f"{name or 'the file to write'}: its name must end in {' or '.join(suffixes)}")
    try:
        return Path(name).resolve()
    except (OSError, RuntimeError):  # a loop of links
        raise ConfigurationError(f"{name} cannot be resolved: it is a loop of links") from None


def require_extra(module: str, extra: str, what: str) -> None:
    """Raise `ConfigurationError` with the line that installs what is missing."""
    try:
        importlib.import_module(module)
    except ImportError:
        raise ConfigurationError(f"{what} needs {module}: pip install 'confirma-async[{extra}]'") from None


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a new file that takes the place of `path` when the block ends well, and vanishes when it does not.

    The old file stays until the new one is on the disk. Raises `TargetError` for what the file system
    refuses, a folder in the way included, before the block is entered where that can be known.
    """
    if path.is_dir():
        raise TargetError(f"{path}: this is a folder: choose another name")
    fresh = path.with_name(f".{path.name[:100]}.{secrets.token_hex(6)}.new")
    try:
        with fresh.open("xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
        sync_folder(path.parent)
    except OSError as fault:
        problem = fault.strerror or type(fault).__name__
    else:
        return
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    raise TargetError(f"{path}: cannot be written: {problem}")
