"""Bad targets and faults: a typed error in one line, before or without losing anything."""

from __future__ import annotations

import asyncio
import errno
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import date
from pathlib import Path

import pytest

from confirma_async.backfill import load_report, open_target
from confirma_async.backfill.sinks.faults import explain, translated
from confirma_async.backfill.sinks.locking import FileLock
from confirma_async.errors import CheckpointError, ConfigurationError, ConfirmaError, TargetError
from confirma_async.reports import Verdict

from .conftest import PostgresServer
from .fakes import Calendar, Rows, Service, invoice, run

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
LATER = Calendar(day=date(2026, 6, 1))
_NOBODY = 65534


async def refused(into: str | Path, kind: type[ConfirmaError], says: str) -> ConfirmaError:
    """Check that a target is refused in one line before anything is asked."""
    service = Service()
    with pytest.raises(kind, match=says) as caught:
        await run(service, FIRST, LAST, into)
    assert service.asked == []
    assert "\n" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


@pytest.mark.parametrize("name", ["x.jsonl", "x.sqlite", "x.parquet"])
async def test_a_fifo_is_refused_without_waiting_for_it(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    await refused(tmp_path / name, TargetError, "choose another name")


@pytest.mark.parametrize("name", ["x.jsonl", "x.sqlite"])
async def test_a_device_or_a_folder_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to("/dev/full")
    await refused(tmp_path / name, TargetError, "full") if name == "x.full" else None
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir()
    await refused(tmp_path / name, TargetError, "not an ordinary file")


async def test_dev_full_is_no_target(tmp_path: Path) -> None:
    await refused("/dev/full", ConfigurationError, "no known form")
    (tmp_path / "x.jsonl").symlink_to("/dev/full")
    await refused(tmp_path / "x.jsonl", TargetError, "not an ordinary file")


async def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").symlink_to(tmp_path / "x.jsonl")
    with pytest.raises(ConfigurationError, match="loop"):
        open_target(tmp_path / "x.jsonl")


async def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_text("mine")
    await refused(tmp_path / "x.parquet", TargetError, "folder of parts")


@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
async def test_data_without_a_checkpoint_is_left_alone(tmp_path: Path, name: str) -> None:
    mine = tmp_path / name
    if name.endswith("parquet"):
        mine.mkdir()
        mine = mine / "mine.parquet"
    mine.write_text("mine\n")
    await refused(tmp_path / name, TargetError, "no checkpoint")
    assert mine.read_text() == "mine\n"


async def test_an_empty_file_is_taken(tmp_path: Path) -> None:
    for name in ("x.jsonl", "x.sqlite"):
        (tmp_path / name).touch()
        assert (await run(Service(), FIRST, LAST, tmp_path / name)).records == 270
    (tmp_path / "x.parquet").mkdir()
    assert (await run(Service(), FIRST, LAST, tmp_path / "x.parquet")).records == 270


@pytest.mark.skipif(os.geteuid() != 0, reason="another user is needed to be refused")
@pytest.mark.parametrize("name", ["x.jsonl", "x.sqlite", "x.parquet"])
async def test_a_folder_without_permission_is_named(tmp_path: Path, name: str) -> None:
    await run(Service(), FIRST, LAST, tmp_path / name)  # whatever is imported late is imported as root
    os.seteuid(_NOBODY)
    try:
        await refused(Path("/", name), TargetError, "permission denied|cannot be opened")
    finally:
        os.seteuid(0)


@contextmanager
def limited_files(size: int) -> Iterator[None]:
    """Let no file grow beyond `size` bytes: EFBIG in the middle of a write."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 100, 3_000, 20_000, 60_000, 100_000])
async def test_a_file_that_may_not_grow_ends_the_run_and_loses_nothing(file_target: Path, size: int) -> None:
    service = Service(profile=LATER)
    with limited_files(size), suppress(TargetError):
        await run(service, FIRST, LAST, file_target, window_days=5)
    asked = len(service.asked)
    report = await run(service, FIRST, LAST, file_target, window_days=5)
    assert (report.verdict, report.records) == (Verdict.COMPLETE, 270)
    assert len(service.asked) <= max(18, asked) + 1
    assert len([one async for one in open_target(file_target).records()]) == 270


def damage(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)


async def test_jsonl_that_changed_behind_our_back_is_refused(tmp_path: Path) -> None:
    into = tmp_path / "x.jsonl"
    await run(Service(profile=LATER), FIRST, LAST, into)
    whole = into.read_bytes()
    into.write_bytes(whole[:-1])
    await refused(into, CheckpointError, "shorter")
    into.write_bytes(whole)
    damage(into, len(whole) - 5)
    await refused(into, CheckpointError, "altered")
    into.unlink()
    await refused(into, CheckpointError, "moved or deleted")
    into.write_bytes(whole)
    damage(into, 5)
    with pytest.raises(CheckpointError, match=r"altered|not what the backfill wrote"):
        _ = [one async for one in open_target(into).records()]


async def test_bytes_behind_the_last_window_are_cut_off(tmp_path: Path) -> None:
    into = tmp_path / "x.jsonl"
    await run(Service(profile=LATER), FIRST, LAST, into)
    whole = into.read_bytes()
    into.write_bytes(whole + b'{"half": ')
    await run(Service(profile=LATER), FIRST, LAST, into)
    assert into.read_bytes() == whole


@pytest.mark.parametrize("name", ["x.jsonl", "x.parquet"])
async def test_a_corrupt_checkpoint_is_named(tmp_path: Path, name: str) -> None:
    into = tmp_path / name
    await run(Service(profile=LATER), FIRST, LAST, into)
    damage(tmp_path / f"{name}.checkpoint", 200)
    await refused(into, CheckpointError, "corrupt")
    with pytest.raises(CheckpointError, match="corrupt"):
        await load_report(into)


async def test_a_part_that_was_deleted_is_read_again(tmp_path: Path) -> None:
    into, service = tmp_path / "x.parquet", Service(profile=LATER)
    await run(service, FIRST, LAST, into)
    (into / "part-2025-01-31.parquet").unlink()
    assert (await load_report(into)).verdict is Verdict.INCOMPLETE
    report = await run(service, FIRST, LAST, into)
    assert (report.verdict, report.records) == (Verdict.COMPLETE, 270)
    assert [str(window) for window in service.asked[3:]] == ["2025-01-31..2025-03-01"]


async def test_a_foreign_or_damaged_part_is_refused(tmp_path: Path) -> None:
    import pandas as pd

    into = tmp_path / "x.parquet"
    await run(Service(profile=LATER), FIRST, LAST, into)
    part = into / "part-2025-01-31.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:-10])
    await refused(into, CheckpointError, "damaged")
    part.write_bytes(whole)
    (into / "part-2025-06-01.parquet").write_bytes(whole)
    await refused(into, CheckpointError, "does not belong")
    (into / "part-2025-06-01.parquet").unlink()
    pd.DataFrame({"a": [1]}).to_parquet(into / "other.parquet")
    await refused(into, CheckpointError, "not a part")


@pytest.mark.parametrize("form", ["{}", "sqlite+aiosqlite:///{}"])
async def test_a_sqlite_file_that_is_none_damaged_newer_or_foreign_is_refused(tmp_path: Path, form: str) -> None:
    path = tmp_path / "x.db"
    into = form.format(path)
    path.write_bytes(b"this is no database, but long enough to look at" * 100)
    failure = await refused(into, ConfirmaError, "not a SQLite database")
    assert isinstance(failure, CheckpointError)
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE invoice_distribution (id INTEGER)")
    await refused(into, CheckpointError, "choose another database")
    path.unlink()
    await run(Service(profile=LATER), FIRST, LAST, into)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE backfill_run SET format = 99")
    await refused(into, CheckpointError, "upgrade")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE backfill_run SET format = 1, from_date = 'yesterday'")
    await refused(into, CheckpointError, "corrupt")


@pytest.mark.parametrize("form", ["{}", "sqlite+aiosqlite:///{}"])
async def test_other_tables_in_the_database_are_left_alone(tmp_path: Path, form: str) -> None:
    path = tmp_path / "x.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE mine (id INTEGER)")
        connection.execute("INSERT INTO mine VALUES (7)")
    report = await run(Service(), FIRST, LAST, form.format(path))
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT id FROM mine").fetchall() == [(7,)]
    assert report.records == 270


async def test_a_locked_database_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from confirma_async.backfill.sinks import sqlite

    monkeypatch.setattr(sqlite, "_BUSY_SECONDS", 0.05)
    path = tmp_path / "x.sqlite"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE mine (id INTEGER)")
        other.execute("BEGIN EXCLUSIVE")
        await refused(path, TargetError, "locked")


async def test_without_the_extra_the_install_line_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    for into, extra in (("x.parquet", "parquet"), ("sqlite+aiosqlite:///x.db", "sql")):
        await refused(into, ConfigurationError, rf"pip install 'confirma-async\[{extra}\]'")
    monkeypatch.undo()
    monkeypatch.setitem(sys.modules, "aiosqlite", None)
    await refused("sqlite+aiosqlite:///x.db", ConfigurationError, r"confirma-async\[sql\]")


def test_importing_the_package_loads_no_extra() -> None:
    script = "import sys, confirma_async.backfill as b; print({'pyarrow', 'sqlalchemy'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "set()"


def test_foreign_failures_become_ours() -> None:
    import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types

    assert "disk is full" in str(explain("x", OSError(errno.ENOSPC, "no space")))
    assert "Strange" in str(explain("x", OSError(0, "Strange")))
    assert "no details" in str(explain("x", OSError()))
    assert isinstance(explain("x", pa.ArrowInvalid("bad\nmore")), TargetError)
    assert str(explain("x", sqlite3.OperationalError("something else"))) == "x: something else (OperationalError)"
    bug = KeyError("ours")
    assert explain("x", bug) is bug
    with pytest.raises(KeyError) as caught:
        translated("x", dict[str, str]().__getitem__, "missing")
    assert caught.value.args == ("missing",)


def test_where_the_file_system_has_no_locks_it_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from confirma_async.backfill.sinks import locking

    def unsupported(_: int) -> None:
        raise OSError(errno.ENOLCK, "no locks")

    monkeypatch.setattr(locking, "_lock", unsupported)
    lock = FileLock(tmp_path / "x.lock")
    lock.acquire()
    lock.release()
    lock.release()
    assert "no locks on this file system" in caplog.text


def test_a_lock_that_is_held_names_its_process(tmp_path: Path) -> None:
    lock = FileLock(tmp_path / "x.lock")
    lock.acquire()
    with pytest.raises(CheckpointError, match=f"process {os.getpid()}"):
        FileLock(tmp_path / "x.lock").acquire()
    (tmp_path / "x.lock").write_text("scribble")
    with pytest.raises(CheckpointError, match="another backfill is"):
        FileLock(tmp_path / "x.lock").acquire()
    lock.release()


async def test_the_same_file_through_a_link_is_the_same_target(tmp_path: Path) -> None:
    (tmp_path / "link.jsonl").symlink_to(tmp_path / "x.jsonl")
    await run(Service(profile=LATER), FIRST, LAST, tmp_path / "link.jsonl")
    service = Service(profile=LATER)
    await run(service, FIRST, LAST, tmp_path / "x.jsonl")
    assert service.asked == []


def _odd(_: date) -> Rows:
    return [invoice("1", "a\0b"), invoice("2"), invoice("3" * 3000), invoice("4", case_id="C" * 3000)]


async def test_what_postgresql_cannot_hold_is_put_aside(postgres: PostgresServer) -> None:
    into = postgres.address("postgres")
    service = Service(rows_of=_odd, profile=Calendar(day=FIRST))
    report = await run(service, FIRST, FIRST, into, account="odd")
    assert (report.verdict, report.quarantined, report.records) == (Verdict.INCOMPLETE, 3, 1)
    assert "distribution_status holds a NUL character" in report.reasons[0]
    rows = await postgres.execute("postgres", "SELECT record, reason FROM backfill_quarantine ORDER BY position")
    assert "a\\u0000b" in str(rows[0]["record"])
    assert [str(row["reason"])[:20] for row in rows[1:]] == ["invoice_number is lo", "case_id is longer th"]


@pytest.mark.parametrize("kind", ["jsonl", "sqlite", "parquet"])
async def test_a_nul_character_survives_where_it_can(tmp_path: Path, kind: str) -> None:
    into = tmp_path / f"x.{kind}"
    report = await run(Service(rows_of=_odd), FIRST, FIRST, into)
    assert (report.quarantined, report.records) == (0, 4)
    held = {one.invoice.distribution_status async for one in open_target(into).records()}
    assert "a\0b" in held


async def test_a_writer_that_is_refused_leaves_the_other_ones_rows_alone(file_target: Path) -> None:
    from confirma_async.backfill.targets import target_for

    rows = [invoice(str(number)) for number in range(10_000)]

    refusals: list[str] = []

    async def intrude() -> None:
        sink = target_for(file_target).sink()
        try:
            await sink.open()
        except CheckpointError as refusal:
            refusals.append(str(refusal))
        await sink.close()

    def rows_of(_: date) -> Rows:
        intruders.append(asyncio.ensure_future(intrude()))
        return rows

    intruders: list[asyncio.Future[None]] = []
    report = await run(Service(rows_of=rows_of, page=500), FIRST, FIRST, file_target)
    assert report.records == len([one async for one in open_target(file_target).records()]) == 10_000
    await asyncio.gather(*intruders)
    assert "another backfill" in refusals[0]
