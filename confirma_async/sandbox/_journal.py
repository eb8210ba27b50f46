"""What was asked of a sandbox, in order, without a key in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Literal

import attrs

KeyState = Literal["current", "retired", "wrong", "missing"]


@attrs.frozen
class SandboxRequest:
    """One request as it arrived; keys are masked wherever they stood."""

    method: str
    path: str
    query: Mapping[str, str]
    """First value of each query parameter, decoded."""
    headers: Mapping[str, str]
    """Names as they were sent; `X-Api-Key`, `Authorization` and cookies hold only a mask."""
    key: KeyState
    """Which key came with it: the present one, one that was renewed since, another one, or none."""
    at: float
    """Arrival in seconds of `time.monotonic`."""
    status: int | None = None
    """Status of the answer; None until there is one, or where a fault answered none."""


class Entry:
    """A request in the journal, whose outcome comes later."""

    __slots__ = ("record",)

    def __init__(self, record: SandboxRequest) -> None:
        self.record = record

    def close(self, status: int | None) -> None:
        """Note how it ended."""
        self.record = attrs.evolve(self.record, status=status)


class Journal:
    """The latest requests, oldest first, and apart from them those nobody expected."""

    def __init__(self, keep: int) -> None:
        self._entries: deque[Entry] = deque(maxlen=keep)
        self._unexpected: deque[Entry] = deque(maxlen=keep)

    def open(self, record: SandboxRequest) -> Entry:
        """Note an arrival."""
        entry = Entry(record)
        self._entries.append(entry)
        return entry

    def flag(self, entry: Entry) -> None:
        """Note that no endpoint of the service was meant."""
        self._unexpected.append(entry)

    @property
    def records(self) -> list[SandboxRequest]:
        """All that is remembered, in order of arrival."""
        return [entry.record for entry in self._entries.copy()]  # in one step: another thread may look

    @property
    def unexpected(self) -> list[SandboxRequest]:
        """Requests to unknown paths or with another method than GET."""
        return [entry.record for entry in self._unexpected]
