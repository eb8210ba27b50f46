"""Targets of every kind, and a PostgreSQL server of our own."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import asyncpg  # type: ignore[import-untyped]  # it ships no types
import attrs
import pytest

FILES = ("jsonl", "sqlite", "parquet")
DATABASES = ("sqlite+aiosqlite", "postgresql")
UPSERTING = ("sqlite", "parquet", *DATABASES)


def _program(name: str) -> str:
    homes = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name) or next((str(home / name) for home in homes if (home / name).exists()), None)
    if found is None:
        pytest.fail(f"PostgreSQL is not installed ({name} is missing): apt-get install postgresql", pytrace=False)
    return found


@attrs.define
class PostgresServer:
    """A private cluster that listens on a socket in its own folder."""

    folder: Path
    names: Iterator[int] = attrs.field(factory=count)

    def new_database(self) -> str:
        """Return the address of a new, empty database."""
        name = f"backfill{next(self.names)}"
        with ThreadPoolExecutor(1) as thread:  # the test's own loop may be running
            thread.submit(lambda: asyncio.run(self.execute("postgres", f"CREATE DATABASE {name}"))).result()
        return self.address(name)

    def address(self, name: str) -> str:
        return f"postgresql+asyncpg://postgres:s3cret@/{name}?host={self.folder}"

    async def execute(self, database: str, statement: str) -> list[dict[str, object]]:
        connection = await asyncpg.connect(host=str(self.folder), user="postgres", database=database)
        try:
            return [dict(row) for row in await connection.fetch(statement)]
        finally:
            await connection.close()


def _as_postgres(*command: str) -> None:
    """Run a program of PostgreSQL, which refuses to work for root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], capture_output=True, text=True, check=False, cwd="/tmp")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server; without PostgreSQL the tests fail, they are not skipped."""
    initdb, pg_ctl = _program("initdb"), _program("pg_ctl")
    folder = Path(tempfile.mkdtemp(prefix="confirma-pg-", dir="/tmp"))
    if os.geteuid() == 0:
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
    data = str(folder / "data")
    try:
        _as_postgres(initdb, "-D", data, "-A", "trust", "-U", "postgres", "--locale=C.UTF-8", "-E", "UTF8", "-N")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
        _as_postgres(pg_ctl, "-D", data, "-w", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield PostgresServer(folder)
        finally:
            _as_postgres(pg_ctl, "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def new_target(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[str], str]:
    """Return a maker of addresses of new targets of a kind."""
    names = count()

    def new(kind: str) -> str:
        if kind == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres")
            return server.new_database()
        place = tmp_path / f"target{next(names)}"
        return f"sqlite+aiosqlite:///{place}.sqlite" if kind == "sqlite+aiosqlite" else f"{place}.{kind}"

    return new


@pytest.fixture(params=[*FILES, *DATABASES])
def into(request: pytest.FixtureRequest, new_target: Callable[[str], str]) -> str:
    """A new target of each kind."""
    return new_target(request.param)


@pytest.fixture(params=FILES)
def file_target(request: pytest.FixtureRequest, new_target: Callable[[str], str]) -> Path:
    """A new target of each kind that is a file or a folder."""
    return Path(new_target(request.param))
