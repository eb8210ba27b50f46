"""The checkpoint of file targets: cut anywhere it is whole, damaged anywhere it says so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from confirma_async.backfill.proof import Plain
from confirma_async.backfill.sinks.durable import write_all
from confirma_async.backfill.sinks.journal import Journal
from confirma_async.errors import CheckpointError

ENTRIES: list[Plain] = [{"entry": "run", "body": {"number": number, "text": "å" * number}} for number in range(6)]


def written(path: Path, entries: list[Plain] = ENTRIES) -> bytes:
    journal = Journal(path, "jsonl")
    journal.create()
    assert list(journal.entries()) == []
    journal.open()
    for entry in entries:
        journal.append(entry)
    journal.close()
    return path.read_bytes()


def read(path: Path) -> list[Plain]:
    return list(Journal(path, "jsonl").entries())


def test_entries_come_back_in_order(tmp_path: Path) -> None:
    written(tmp_path / "c")
    assert read(tmp_path / "c") == ENTRIES


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_journal_that_was_cut_anywhere_holds_every_whole_entry_and_goes_on(
    tmp_path: Path, data: st.DataObject
) -> None:
    path = tmp_path / "c"
    whole = written(path)
    header = whole.index(b"\n") + 1
    cut = data.draw(st.integers(header, len(whole)))
    path.write_bytes(whole[:cut])
    kept = ENTRIES[: whole[:cut].count(b"\n") - 1]
    journal = Journal(path, "jsonl")
    assert list(journal.entries()) == kept
    journal.open()
    journal.append({"entry": "run", "body": {}})
    journal.close()
    assert read(path) == [*kept, {"entry": "run", "body": {}}]


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damage_before_the_last_entry_is_an_error(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "c"
    whole = bytearray(written(path))
    last = bytes(whole[:-1]).rindex(b"\n")
    whole[data.draw(st.integers(0, last - 1))] ^= 1
    path.write_bytes(whole)
    with pytest.raises(CheckpointError):
        read(path)


def test_an_empty_checkpoint_is_corrupt(tmp_path: Path) -> None:
    (tmp_path / "c").write_bytes(b"")
    with pytest.raises(CheckpointError, match="corrupt"):
        read(tmp_path / "c")


@pytest.mark.parametrize(
    ("header", "says"),
    [
        ({"entry": "header", "format": 2, "target": "jsonl"}, "upgrade"),
        ({"entry": "header", "format": True, "target": "jsonl"}, "corrupt"),
        ({"entry": "header", "format": 1, "target": "parquet"}, "another kind"),
        ({"entry": "run", "body": {}}, "corrupt"),
    ],
)
def test_a_foreign_or_newer_checkpoint_is_refused(tmp_path: Path, header: Plain, says: str) -> None:
    from confirma_async.backfill.sinks.durable import put
    from confirma_async.backfill.sinks.journal import _line

    put(tmp_path / "c", _line(header))
    with pytest.raises(CheckpointError, match=says):
        read(tmp_path / "c")


def test_a_json_value_that_is_no_object_is_no_entry(tmp_path: Path) -> None:
    import zlib

    path = tmp_path / "c"
    whole = written(path)
    for text in (b"[1]", b"{"):
        path.write_bytes(whole + b"%08x %s\n" % (zlib.crc32(text), text) + whole)
        with pytest.raises(CheckpointError, match="damaged"):
            read(path)


def test_an_entry_that_could_not_be_written_whole_is_taken_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c"
    before = written(path)
    journal = Journal(path, "jsonl")
    assert list(journal.entries()) == ENTRIES
    journal.open()

    def full(_: int) -> None:
        raise OSError(28, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            journal.append({"entry": "run", "body": {}})
    journal.close()
    assert path.read_bytes() == before
    journal.close()
    with pytest.raises(CheckpointError, match="not open"):
        journal.append({})


def test_short_writes_are_completed(monkeypatch: pytest.MonkeyPatch) -> None:
    got = bytearray()

    def one_byte(_: int, data: memoryview) -> int:
        got.extend(data[:1])
        return 1

    monkeypatch.setattr(os, "write", one_byte)
    write_all(0, b"whole")
    assert bytes(got) == b"whole"
