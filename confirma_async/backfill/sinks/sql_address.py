"""A database address: which databases are known, how each is locked, and what each cannot hold."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Concatenate, ParamSpec, Protocol, TypeVar

import attrs
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from ...errors import ConfigurationError, TargetError
from .columns import CASE_ID, CONTENT, ERROR_CONTENT, NUMBER
from .extras import is_installed
from .faults import explain
from .matching import Row
from .quarantine import Check, fits

_KNOWN = {"postgresql+asyncpg": "asyncpg", "sqlite+aiosqlite": "aiosqlite"}
_SERVER_SETTINGS = {
    "application_name": "confirma_async backfill",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""A minute after a machine is gone the server gives its lock back, instead of after two hours."""
_LONGEST_IDENTIFIER = 2000
"""Bytes: PostgreSQL refuses to index text beyond about 2,700 (its documentation: a third of a page)."""


@attrs.frozen
class DatabaseAddress:
    """A checked address; `shown` has no password in it, and is all that messages may hold."""

    url: URL = attrs.field(repr=False)

    @classmethod
    def checked(cls, address: str) -> DatabaseAddress:
        """Return the address; raises `ConfigurationError`, which never repeats it, for one that cannot be used."""
        url = _parsed(address)
        if url is None:
            raise ConfigurationError("into: this is not a database address, such as postgresql+asyncpg://host/name")
        driver = _KNOWN.get(url.drivername)
        if driver is None:
            known = " or ".join(f"{name}://" for name in _KNOWN)
            raise ConfigurationError(f"into: {url.drivername}:// is not supported: use {known}")
        if url.drivername.startswith("sqlite") and url.database in {None, "", ":memory:"}:
            raise ConfigurationError("into: a database in memory is gone with its process: name a file")
        if not is_installed(driver):
            raise ConfigurationError(f"this target needs {driver}: pip install 'confirma-async[sql]'")
        return cls(url)

    @property
    def shown(self) -> str:
        """The address without its password."""
        return self.url.set(query={}).render_as_string(hide_password=True)

    @property
    def is_postgresql(self) -> bool:
        """Whether it is PostgreSQL; SQLite otherwise."""
        return self.url.drivername.startswith("postgresql")

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.url.database or "").resolve()

    @property
    def check(self) -> Check:
        """What tells which rows the database cannot hold."""
        return misfit_for_postgresql if self.is_postgresql else fits

    def scrub(self, text: str) -> str:
        """Return a message without the password, should a driver have put it there."""
        for secret in (self.url.password, self.url.query.get("password")):
            text = text.replace(str(secret), "***") if secret else text
        return text


def _parsed(address: str) -> URL | None:
    try:
        return make_url(address)
    except (ArgumentError, ValueError):
        return None


def misfit_for_postgresql(row: Row) -> str | None:
    """Return why PostgreSQL cannot hold the row, or None: its text has no NUL, its index no long keys."""
    named = [*zip(CONTENT, row.content, strict=True)]
    named += [pair for error in row.errors for pair in zip(ERROR_CONTENT, error, strict=True)]
    for name, value in named:
        if isinstance(value, str) and "\0" in value:
            return f"{name} holds a NUL character"
    for place in (NUMBER, CASE_ID):
        value = row.content[place]
        if isinstance(value, str) and len(value.encode()) > _LONGEST_IDENTIFIER:
            return f"{CONTENT[place]} is longer than {_LONGEST_IDENTIFIER} bytes"
    return None


class HasAddress(Protocol):
    """Whatever works on a database."""

    @property
    def address(self) -> DatabaseAddress: ...


_S = TypeVar("_S", bound=HasAddress)
_P = ParamSpec("_P")
_T = TypeVar("_T")


def translating(
    method: Callable[Concatenate[_S, _P], Awaitable[_T]],
) -> Callable[Concatenate[_S, _P], Awaitable[_T]]:
    """Let only errors of ours out, without their chain and without the password."""

    async def translated(self: _S, /, *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await method(self, *args, **kwargs)
        except Exception as fault:  # noqa: BLE001  # what is not in the table is raised again, as it is
            failure = _failure(self.address, fault)
        raise failure

    return translated


def _failure(address: DatabaseAddress, fault: Exception) -> Exception:
    failure = explain(address.shown, fault)
    return TargetError(address.scrub(str(failure))) if isinstance(failure, TargetError) else failure


def engine_for(address: DatabaseAddress) -> AsyncEngine:
    """Return an engine without a pool: a connection is closed when it is given back."""
    settings = {"server_settings": _SERVER_SETTINGS} if address.is_postgresql else {}
    return create_async_engine(address.url, poolclass=NullPool, hide_parameters=True, connect_args=settings)


async def connected(engine: AsyncEngine) -> AsyncConnection:
    """Return a connection; raises `ConfigurationError` where the address has a parameter that its driver refuses."""
    try:
        return await engine.connect()
    except (TypeError, ValueError) as fault:
        problem = str(fault)
    raise ConfigurationError(f"into: the address has a parameter that its driver does not take: {problem}")
