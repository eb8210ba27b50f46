"""Resume tokens: where a run stands, as text that another process can go on from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import date

import attrs

from ..errors import ConfigurationError

_VERSION = 1
ENDED = -1
"""Stands for "all of that window" in place of a number of records."""


@attrs.frozen
class Position:
    """Where a run stands.

    `start`, `end`: the resolved days, None where none were sent. `head`: windows before this index are done.
    `delivered`: records of later windows that were handed out, by index; `ENDED` for all of them.
    """

    start: date | None
    end: date | None
    head: int = 0
    delivered: Mapping[int, int] = attrs.field(factory=dict)


def fingerprint(*parts: object) -> str:
    """Return a digest of what was asked, so that a token does not show it."""
    return hashlib.sha256(json.dumps(parts, default=str, sort_keys=True).encode()).hexdigest()[:16]


def write_token(query: str, position: Position) -> str:
    """Return the token of a position in a query."""
    fields = {
        "v": _VERSION,
        "q": query,
        "from": None if position.start is None else position.start.isoformat(),
        "to": None if position.end is None else position.end.isoformat(),
        "head": position.head,
        "at": {str(index): count for index, count in position.delivered.items()},
    }
    return base64.urlsafe_b64encode(json.dumps(_signed(fields), separators=(",", ":")).encode()).decode().rstrip("=")


def _signed(fields: Mapping[str, object]) -> dict[str, object]:
    """Add a checksum: a token with one wrong character must not stand somewhere else."""
    plain = {name: value for name, value in fields.items() if name != "sum"}
    return {**plain, "sum": fingerprint(plain)[:8]}


def read_token(query: str, token: object) -> Position:
    """Return the position in a token; one of another query, or none at all, is refused."""
    if not isinstance(token, str):
        raise ConfigurationError(f"resume_token must be text, not {type(token).__name__}")
    try:
        fields = json.loads(base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True))
        version, belongs_to = fields["v"], fields["q"]
        intact = fields == _signed(fields)
        position = _position(fields)
    except (binascii.Error, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise ConfigurationError("resume_token is damaged: pass it exactly as it was given") from None
    if not intact:
        raise ConfigurationError("resume_token is damaged: its checksum does not fit")
    if version != _VERSION:
        raise ConfigurationError(f"resume_token is of version {version}: this release reads version {_VERSION}")
    if belongs_to != query:
        raise ConfigurationError("resume_token belongs to another query: resume with the arguments of the first run")
    return position


def _position(fields: Mapping[str, object]) -> Position:
    start, end, head, at = (fields[name] for name in ("from", "to", "head", "at"))
    if type(head) is not int or head < 0 or not isinstance(at, dict):
        raise ValueError
    delivered = {int(index): count for index, count in at.items()}
    if any(type(count) is not int or count < ENDED or index < head for index, count in delivered.items()):
        raise ValueError
    return Position(_day(start), _day(end), head, delivered)


def _day(text: object) -> date | None:
    if text is None:
        return None
    if not isinstance(text, str):
        raise TypeError
    return date.fromisoformat(text)
