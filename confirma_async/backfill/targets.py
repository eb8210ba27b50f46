"""What ``into=`` names: the form decides the kind; whatever cannot work is refused here, before any request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TypeAlias

import attrs

from ..errors import ConfigurationError
from .proof import TargetState
from .sinks.extras import is_installed
from .sinks.protocol import Sink, StoredRecord, Target


@attrs.frozen
class SharedTarget:
    """A target that several accounts share, each under its label; made by `shared`."""

    into: str | Path | Sink


Into: TypeAlias = str | Path | Sink | SharedTarget

_FORMS = ".jsonl, .sqlite or .db, .parquet (a folder), a database address, or a Sink"


@attrs.frozen
class OwnTarget:
    """A target that the caller brings."""

    own: Sink

    @property
    def key(self) -> str:
        """The object itself."""
        return f"sink {id(self.own)}"

    def sink(self) -> Sink:
        """Return the caller's sink."""
        return self.own

    async def state(self) -> TargetState:
        """Return what the sink holds: it is opened and closed for that."""
        try:
            return await self.own.open()
        finally:
            await self.own.close()

    def records(self) -> AsyncIterator[StoredRecord]:
        """Refuse: the protocol has no way to read rows back."""
        raise ConfigurationError("a Sink of your own is not read back here: read it where you keep it")


def shared(into: str | Path | Sink) -> SharedTarget:
    """Say that another account may join the accounts of this target.

    Without it a label that the target does not hold yet is refused: it is more often a slip than a wish.
    """
    return SharedTarget(into)


def target_for(into: Into) -> Target:
    """Return the target that `into` names; raises `ConfigurationError` for anything else.

    Nothing is opened. A missing extra is named with the line that installs it.
    """
    if isinstance(into, SharedTarget):
        return target_for(into.into)
    if isinstance(into, str) and "://" in into:
        return _database(into)
    if isinstance(into, str | Path):
        return _file(into)
    if isinstance(into, Sink):
        return OwnTarget(into)
    raise ConfigurationError(f"into must be {_FORMS}, not {type(into).__name__}")


def _file(into: str | Path) -> Target:
    if not str(into).strip() or "\0" in str(into):
        raise ConfigurationError("into must name a file: it is empty, or holds a NUL character")
    from .sinks.threaded import FileTarget

    suffix = Path(into).suffix.lower()
    try:
        path = Path(into).resolve()
    except (OSError, RuntimeError):  # a loop of links
        raise ConfigurationError(f"into: {into} cannot be resolved: it is a loop of links") from None
    if suffix == ".jsonl":
        from .sinks import jsonl

        return FileTarget(path, jsonl.JsonlStore, jsonl.read_state, jsonl.read_records)
    if suffix in {".sqlite", ".db"}:
        from .sinks import sqlite

        return FileTarget(path, sqlite.SqliteStore, sqlite.read_state, sqlite.read_records)
    if suffix == ".parquet":
        _require("pyarrow", "parquet")
        from .sinks import parquet

        return FileTarget(path, parquet.ParquetStore, parquet.read_state, parquet.read_records)
    raise ConfigurationError(f"into: {suffix or str(into)!r} is no known form: use {_FORMS}")


def _database(address: str) -> Target:
    _require("sqlalchemy", "sql")
    from .sinks import sql

    return sql.database_target(address)


def _require(module: str, extra: str) -> None:
    if not is_installed(module):
        raise ConfigurationError(f"this target needs {module}: pip install 'confirma-async[{extra}]'")
