"""The tables of a database target, once for every database.

``invoice_distribution``: a row per invoice (see `columns` and `matching`). ``distribution_error``: a row per
error of an invoice. ``backfill_window``: the proof of each window. ``backfill_run``: what was asked, and
whether it ended. ``backfill_quarantine``: rows that the database cannot hold, as ASCII JSON text.
Identifiers, days and times are text; `account` is ``""`` where no label was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import attrs
import msgspec

from ...errors import CheckpointError
from ..proof import Plain, RunRecord, WindowProof, from_plain, require_format, to_plain
from .columns import CONTENT, ERROR_CONTENT
from .matching import Known
from .quarantine import Quarantined

_R = TypeVar("_R", RunRecord, WindowProof)
Cell = str | int | bool | None

DISTRIBUTION, ERROR = "invoice_distribution", "distribution_error"
WINDOW, RUN, QUARANTINE = "backfill_window", "backfill_run", "backfill_quarantine"

_KEPT = ("error_count", "window_start", "first_seen", "last_changed", "fingerprint")
_NUMBERS = {"error_count", "position"}
_LISTS = {"reasons", "invalid", "quarantined_names", "rests_on"}
KNOWN = ("record_key", "fingerprint", "case_id", "window_start", "first_seen", "last_changed")
"""The columns that `matching` needs of a stored row."""


@attrs.frozen
class Shape:
    """One table: columns with their types (``TEXT``, ``INTEGER`` or ``BOOLEAN``), the key first."""

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    indexes: Mapping[str, tuple[str, ...]] = attrs.field(factory=dict)


def _typed(*names: str) -> dict[str, str]:
    return {
        name: "BOOLEAN" if name == "payment_control_enabled" else "INTEGER" if name in _NUMBERS else "TEXT"
        for name in names
    }


def _columns_of(cls: type[attrs.AttrsInstance]) -> dict[str, str]:
    kinds = {field.name: str(field.type) for field in attrs.fields(cls)}
    return {name: "INTEGER" if kind.split(" ")[0] == "int" else "TEXT" for name, kind in kinds.items()}


SHAPES = (
    Shape(
        DISTRIBUTION,
        _typed("account", "record_key", *CONTENT, *_KEPT),
        ("account", "record_key"),
        {
            "invoice_distribution_number": ("invoice_number", "account"),
            "invoice_distribution_case": ("case_id",),
        },
    ),
    Shape(
        ERROR,
        _typed("account", "record_key", "position", "invoice_number", *ERROR_CONTENT),
        ("account", "record_key", "position"),
        {"distribution_error_number": ("invoice_number",)},
    ),
    Shape(WINDOW, _columns_of(WindowProof), ("account", "window_start")),
    Shape(RUN, _columns_of(RunRecord), ("account", "run")),
    Shape(
        QUARANTINE,
        _typed("account", "window_start", "position", "invoice_number", "reason", "record"),
        ("account", "window_start", "position"),
    ),
)
BY_NAME = {shape.name: shape for shape in SHAPES}


def require_shapes(found: Mapping[str, Sequence[str]]) -> bool:
    """Return whether the tables are there; raises `CheckpointError` where foreign ones carry their names.

    `found`: the columns of every table of ours that exists.
    """
    for name, columns in found.items():
        missing = sorted(set(BY_NAME[name].columns) - set(columns))
        if missing:
            raise CheckpointError(
                f"the table {name} is not one of a backfill (no column {missing[0]}): choose another database"
            )
    return RUN in found


def to_row(record: RunRecord | WindowProof) -> dict[str, Cell]:
    """Return a run or a proof as one row; lists are JSON text."""
    return {name: _cell(value) for name, value in to_plain(record).items()}


def from_row(cls: type[_R], row: Mapping[str, object]) -> _R:
    """Return the run or proof of one row; raises `CheckpointError` for a newer or broken one."""
    if cls is RunRecord:
        require_format(row["format"])
    plain: Plain = {
        name: msgspec.json.decode(value) if name in _LISTS and isinstance(value, str) else value
        for name, value in row.items()
    }
    return from_plain(cls, plain)


def quarantine_rows(proof: WindowProof, aside: Sequence[Quarantined]) -> list[dict[str, Cell]]:
    """Return the rows that keep what was put aside in one window."""
    return [
        {
            "account": proof.account,
            "window_start": proof.window_start.isoformat(),
            "position": place,
            **attrs.asdict(one),
        }
        for place, one in enumerate(aside)
    ]


def known_from(row: Sequence[object], moment: str, seen: set[str]) -> Known:
    """Return a stored row for `matching`, from the `KNOWN` columns; this window's own rows count as taken."""
    key, fingerprint, case_id, window_start, first_seen, last_changed = row
    taken = last_changed == moment or key in seen
    return Known(
        str(key), str(fingerprint), None if case_id is None else str(case_id), str(window_start), str(first_seen), taken
    )


def _cell(value: object) -> Cell:
    if value is None or isinstance(value, str | int):
        return value
    return msgspec.json.encode(value).decode()
