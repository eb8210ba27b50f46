"""The parts of a Parquet target: their fixed schema, rows to columns and back, and the proof in the footer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa  # type: ignore[import-untyped]  # it ships no types
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # it ships no types

from ...errors import CheckpointError
from ..proof import WindowProof, from_plain, to_plain
from .columns import CASE_ID, CONTENT, ERROR_CONTENT, NUMBER, Content, Errors, fingerprint
from .matching import Known

_TEXT = pa.string()
_ERRORS = pa.list_(pa.struct([pa.field(name, _TEXT) for name in ERROR_CONTENT]))

SCHEMA = pa.schema(
    [
        pa.field("account", _TEXT, nullable=False),
        *(pa.field(name, pa.bool_() if name == "payment_control_enabled" else _TEXT) for name in CONTENT),
        pa.field("errors", _ERRORS, nullable=False),
        pa.field("window_start", _TEXT, nullable=False),
        pa.field("first_seen", _TEXT, nullable=False),
        pa.field("last_changed", _TEXT, nullable=False),
    ]
)
"""One schema for every part, whatever its rows hold; the columns are those of `columns`, plus `errors` as a list."""

PART_ROW = tuple[Content, Errors, str, str]
"""A row with `first_seen` and `last_changed`."""

_PROOF = b"confirma_async.window"
_READ = 1000


def to_table(rows: Sequence[PART_ROW], account: str, window_start: str) -> pa.Table:
    """Return rows as columns."""
    count = len(rows)
    contents = list(zip(*(row[0] for row in rows), strict=True)) or [()] * len(CONTENT)
    errors = [[dict(zip(ERROR_CONTENT, error, strict=True)) for error in row[1]] for row in rows]
    columns = [
        [account] * count,
        *contents,
        errors,
        [window_start] * count,
        [row[2] for row in rows],
        [row[3] for row in rows],
    ]
    arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)


def proof_metadata(proof: WindowProof) -> dict[str | bytes, str | bytes]:
    """Return the footer entry that makes a part its own checkpoint."""
    return {_PROOF: msgspec.json.encode(to_plain(proof))}


def read_proof(path: Path) -> WindowProof:
    """Return the proof in a part's footer; raises `CheckpointError` for a file that is no part of a backfill."""
    try:
        metadata = pq.read_metadata(path).metadata or {}
        plain = msgspec.json.decode(metadata[_PROOF], type=dict[str, object])
    except (pa.ArrowException, KeyError, msgspec.DecodeError):
        plain = None
    if plain is None:
        raise CheckpointError(
            f"{path}: this is not a part of this backfill, or is damaged: move it elsewhere; a window that loses"
            " its part is read again"
        )
    return from_plain(WindowProof, plain)


def read_part(path: Path) -> Iterator[list[PART_ROW]]:
    """Yield the rows of a part in bounded batches."""
    with pq.ParquetFile(path) as part:
        for batch in part.iter_batches(_READ):
            columns = [column.to_pylist() for column in batch.columns]
            contents = zip(*columns[1 : 1 + len(CONTENT)], strict=True)
            errors = (tuple(tuple(error[name] for name in ERROR_CONTENT) for error in row) for row in columns[-4])
            yield list(zip(contents, errors, columns[-2], columns[-1], strict=True))


def known_rows(path: Path, window_start: str) -> Iterator[Known]:
    """Yield what `matching` needs of each row of a part, in its order."""
    occurrences: dict[str, int] = {}
    for rows in read_part(path):
        for content, errors, first_seen, _ in rows:
            mark, number, case_id = fingerprint(content, errors), content[NUMBER], content[CASE_ID]
            if number is None:
                key = f"null:{mark}"
            else:
                occurrence = occurrences.get(str(number), 0)
                occurrences[str(number)] = occurrence + 1
                key = f"{occurrence}:{number}"
            yield Known(key, mark, None if case_id is None else str(case_id), window_start, first_seen)
