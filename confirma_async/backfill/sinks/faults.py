"""Foreign failures of files and databases, translated in one table: one line each, saying what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from ...errors import CheckpointError, ConfirmaError, TargetError

_P = ParamSpec("_P")
_T = TypeVar("_T")

FREE_SPACE = "free some space"
"""What a message about a full disk asks for."""
_AGAIN = "then run the same command again: every finished window is kept"

_BY_ERRNO = {
    errno.ENOSPC: f"the disk is full: {FREE_SPACE}, {_AGAIN}",
    errno.EDQUOT: f"the disk quota is used up: {FREE_SPACE}, {_AGAIN}",
    errno.EFBIG: f"the file may not grow further (limit of the system or its user): raise it, {_AGAIN}",
    errno.EROFS: "the file system is read-only: choose another place",
    errno.EACCES: "permission denied: choose another place or correct the permissions",
    errno.EPERM: "permission denied: choose another place or correct the permissions",
    errno.ENOENT: "no such file or folder: create the folder first",
    errno.ENOTDIR: "a part of its path is not a folder: choose another place",
    errno.ENAMETOOLONG: "its name is too long: choose a shorter one",
    errno.EIO: f"the disk reports an input/output error: check it, {_AGAIN}",
    errno.ECONNREFUSED: "nothing listens there: check the address, and that the database is running",
    errno.EMFILE: f"this process has too many open files: raise the limit, {_AGAIN}",
}

_BY_SQLITE = {
    "SQLITE_FULL": _BY_ERRNO[errno.ENOSPC],
    "SQLITE_IOERR_WRITE": f"writing failed (is the disk full?): {FREE_SPACE}, {_AGAIN}",
    "SQLITE_IOERR_FSYNC": f"writing failed (is the disk full?): {FREE_SPACE}, {_AGAIN}",
    "SQLITE_IOERR_SHMSIZE": f"writing failed (is the disk full?): {FREE_SPACE}, {_AGAIN}",
    "SQLITE_BUSY": f"another program holds the database locked: close it, {_AGAIN}",
    "SQLITE_LOCKED": f"another program holds the database locked: close it, {_AGAIN}",
    "SQLITE_READONLY": "the database is read-only: correct the permissions or choose another place",
    "SQLITE_CANTOPEN": "the database cannot be opened: check that its folder exists and can be written",
    "SQLITE_NOTADB": "this is not a SQLite database: choose another name",
    "SQLITE_CORRUPT": "the database is damaged: restore it, or start over in a new target",
}

_CORRUPT = {"SQLITE_NOTADB", "SQLITE_CORRUPT"}


def translated(place: str, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    """Return what `work` returns; what files and databases raise becomes an error of ours, without its chain."""
    try:
        return work(*args, **kwargs)
    except Exception as fault:  # noqa: BLE001  # what is not in the table is raised again, as it is
        failure = explain(place, fault)
    raise failure


def explain(place: str, fault: Exception) -> Exception:
    """Return the error of ours that stands for `fault`, or `fault` itself where no table knows it."""
    if isinstance(fault, ConfirmaError):
        return fault
    if isinstance(fault, OSError):
        return TargetError(f"{place}: {_BY_ERRNO.get(fault.errno or 0) or fault.strerror or _first_line(fault)}")
    if isinstance(fault, sqlite3.Error):
        return _sqlite(place, fault)
    family = type(fault).__module__.partition(".")[0]
    if family in {"pyarrow", "sqlalchemy", "asyncpg", "aiosqlite"}:
        original = getattr(fault, "orig", None)
        cause = getattr(original, "__cause__", None) or original
        if isinstance(cause, OSError | sqlite3.Error):
            return explain(place, cause)
        return TargetError(f"{place}: {_first_line(cause or fault)}")
    return fault


def _sqlite(place: str, fault: sqlite3.Error) -> Exception:
    name = getattr(fault, "sqlite_errorname", "")
    base = "_".join(name.split("_")[:2])
    says = _BY_SQLITE.get(name) or _BY_SQLITE.get(base) or _first_line(fault)
    return (CheckpointError if base in _CORRUPT else TargetError)(f"{place}: {says}")


def _first_line(fault: BaseException) -> str:
    lines = str(fault).strip().splitlines()
    return f"{lines[0] if lines else 'no details'} ({type(fault).__name__})"
