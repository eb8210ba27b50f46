"""One writer: a lock of the operating system, which dies with its process, so that none is ever stale."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import sys
from pathlib import Path

from ...errors import CheckpointError
from .durable import open_file

_log = logging.getLogger("confirma_async")
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_LOCKED_BYTE = 1 << 30  # beyond the text: on Windows a locked byte cannot be read by others


class FileLock:
    """Holds `path` while this process lives; the file stays behind and means nothing by itself.

    Where the file system knows no locks (some network shares), this is logged and nothing is held.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock; raises `CheckpointError` where another process, or this one, holds it."""
        file = open_file(self._path, create=True)
        refusal = _refusal(file)
        if refusal is not None and refusal not in _UNSUPPORTED:
            holder = _holder(file)
            os.close(file)
            raise CheckpointError(
                f"{self._path}: another backfill{holder} is writing to this target: wait until it ends"
            )
        self._file = file
        if refusal is not None:
            _log.warning("%s: no locks on this file system; make sure that only one backfill writes here", self._path)
        with contextlib.suppress(OSError):  # a full disk: the number only serves the message
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())

    def release(self) -> None:
        """Let go; closing the file is what frees it."""
        if self._file is not None:
            os.close(self._file)
            self._file = None


def _refusal(file: int) -> int | None:
    """Lock the file; returns the number of the error, or None where it is ours now."""
    try:
        _lock(file)
    except OSError as fault:
        return fault.errno or errno.EACCES
    return None


def _holder(file: int) -> str:
    text = os.pread(file, 20, 0) if hasattr(os, "pread") else b""
    return f" (process {text.decode()})" if text.isdigit() else ""


if sys.platform == "win32":
    import msvcrt

    def _lock(file: int) -> None:
        os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(file, 0, os.SEEK_SET)

else:
    import fcntl

    def _lock(file: int) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
