"""The checkpoint of a file target: an append-only file of checksummed lines.

Each line is a CRC-32 in hexadecimal, a space, a JSON object. The first names the format and the kind of
target. A line that was cut off at the very end was never promised to anybody and is dropped; damage anywhere
else is an error. Appending costs the same for the ten-thousandth window as for the first.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import msgspec

from ...errors import CheckpointError
from ..proof import FORMAT, Plain, require_format
from .durable import open_file, put, write_all


class Journal:
    """The checkpoint file at `path`, of a target of that kind (``"jsonl"`` or ``"parquet"``)."""

    def __init__(self, path: Path, kind: str) -> None:
        self.path, self._kind = path, kind
        self._file: int | None = None
        self._end = 0

    def exists(self) -> bool:
        """Tell whether a checkpoint is there."""
        return self.path.is_file()

    def create(self) -> None:
        """Write a checkpoint that holds nothing yet."""
        put(self.path, _line({"entry": "header", "format": FORMAT, "target": self._kind}))

    def open(self) -> None:
        """Open for appending after the last whole line; call `entries` to the end first."""
        self._file = open_file(self.path)
        os.ftruncate(self._file, self._end)
        os.lseek(self._file, self._end, os.SEEK_SET)

    def append(self, *entries: Plain) -> None:
        """Make those entries durable, in order; what could not be written whole is taken back."""
        if self._file is None:
            raise CheckpointError(f"{self.path}: the checkpoint is not open")
        data = b"".join(map(_line, entries))
        try:
            write_all(self._file, data)
            os.fsync(self._file)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, self._end)
                os.lseek(self._file, self._end, os.SEEK_SET)
            raise
        self._end += len(data)

    def close(self) -> None:
        """Close the file; nothing is pending."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def entries(self) -> Iterator[Plain]:
        """Yield every entry after the header; raises `CheckpointError` for a corrupt, foreign or newer one."""
        self._end = 0
        for entry in self._whole_lines():
            if self._end == 0:
                self._check(entry)
            else:
                yield entry
            self._end = self._read_to
        if self._end == 0:
            raise self._corrupt("it has no first line")

    def _whole_lines(self) -> Iterator[Plain]:
        self._read_to = 0
        with self.path.open("rb") as file:
            for line in file:
                entry = _entry(line)
                if entry is None:
                    if file.readline():
                        raise self._corrupt(f"its line at byte {self._read_to} is damaged")
                    return
                self._read_to += len(line)
                yield entry

    def _check(self, header: Plain) -> None:
        if header.get("entry") != "header":
            raise self._corrupt("its first line is not a header")
        require_format(header.get("format"))
        if header.get("target") != self._kind:
            raise CheckpointError(f"{self.path}: this is the checkpoint of another kind of target")

    def _corrupt(self, why: str) -> CheckpointError:
        return CheckpointError(
            f"{self.path}: the checkpoint is corrupt ({why}): restore it, or start over in a new target"
        )


def _line(entry: Plain) -> bytes:
    text = msgspec.json.encode(entry)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _entry(line: bytes) -> Plain | None:
    text = line[9:-1]
    if line[-1:] != b"\n" or line[:9] != b"%08x " % zlib.crc32(text):
        return None
    try:
        entry = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return None
    return cast("Plain", entry) if isinstance(entry, dict) else None
