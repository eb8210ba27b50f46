"""Writing files so that what was said to be written is: whole, on the disk, under its name."""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path

from ...errors import TargetError

_BINARY = getattr(os, "O_BINARY", 0)  # Windows would translate line ends


def open_file(path: Path, *, create: bool = False, fresh: bool = False) -> int:
    """Return a descriptor for reading and writing; `create`: make it where it is missing, `fresh`: empty it, too."""
    flags = (os.O_CREAT if create or fresh else 0) | (os.O_TRUNC if fresh else 0)
    return os.open(path, os.O_RDWR | _BINARY | flags, 0o644)


def write_all(file: int, data: bytes | memoryview) -> None:
    """Write every byte: a short write raises nothing by itself."""
    left = memoryview(data)
    while left:
        left = left[os.write(file, left) :]


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; a platform that cannot (Windows) keeps them anyway."""
    with contextlib.suppress(PermissionError, NotImplementedError):
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)


def sync_file(path: Path) -> None:
    """Make the bytes of a closed file durable."""
    file = open_file(path)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def put(path: Path, data: bytes) -> None:
    """Create or replace a file in one step: the old one or the new one, never half of it."""
    fresh = path.with_name(path.name + ".new")
    file = open_file(fresh, fresh=True)
    try:
        write_all(file, data)
        os.fsync(file)
    finally:
        os.close(file)
    fresh.replace(path)
    sync_folder(path.parent)


def beside(path: Path, suffix: str) -> Path:
    """Return the companion of a target: its whole name and a suffix."""
    return path.with_name(path.name + suffix)


def require_place(path: Path, *, folder: bool) -> None:
    """Raise `TargetError` where a target of that kind cannot be: before anything is opened or created.

    Only the kind of what is there is looked at: opening a FIFO or a device could hang or do harm.
    """
    if not path.parent.is_dir():
        raise TargetError(f"{path}: the folder {path.parent} does not exist: create it first")
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return
    if folder and not stat.S_ISDIR(mode):
        raise TargetError(
            f"{path}: a Parquet target is a folder of parts, and this is not a folder: choose another name"
        )
    if not folder and not stat.S_ISREG(mode):
        raise TargetError(f"{path}: this is not an ordinary file: choose another name")
