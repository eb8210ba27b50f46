"""What a hook is told: frozen facts, in order; counters never go back."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

from ._shown import shown
from .reports import WindowOutcome

_log = logging.getLogger("confirma_async")


@attrs.frozen
class AttemptEnded:
    """One request left the wire: `status` is None when no answer came; `failure` names the error's class.

    `attempt` counts from 1 within its call; `seconds` is the time on the wire; `bytes` the decoded body.
    """

    __repr__ = shown

    method: str
    url: str
    attempt: int
    status: int | None
    failure: str | None
    seconds: float
    bytes: int


@attrs.frozen
class RetryScheduled:
    """The request will be sent again after `wait` seconds because of `reason`."""

    __repr__ = shown

    url: str
    attempt: int
    wait: float
    reason: str


@attrs.frozen
class ClientPaused:
    """A 429 holds back every request of the client for `seconds`."""

    __repr__ = shown

    seconds: float


@attrs.frozen
class KeyRenewed:
    """The key source gave a new key."""

    __repr__ = shown


@attrs.frozen
class WindowEnded:
    """A window is done; `outcome` says how."""

    __repr__ = shown

    outcome: WindowOutcome


@attrs.frozen
class Progress:
    """How far a run is; `seconds` since its start, `bytes` decoded."""

    __repr__ = shown

    windows: int
    windows_total: int
    records: int
    requests: int
    retries: int
    bytes: int
    seconds: float


Event: TypeAlias = AttemptEnded | RetryScheduled | ClientPaused | KeyRenewed | WindowEnded | Progress


@runtime_checkable
class EventHook(Protocol):
    """An object that wants to know; the method may be plain or a coroutine function."""

    def on_event(self, event: Event, /) -> Awaitable[None] | None: ...


Hook: TypeAlias = EventHook | Callable[[Event], Awaitable[None] | None]


def being_cancelled() -> bool:
    """Tell whether a CancelledError is meant for the running task, and not one that code it called let out."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def notify(hooks: Sequence[Hook], event: Event) -> None:
    """Tell every hook, in order; what one raises is logged and loses nothing."""
    for hook in hooks:
        try:
            told = hook.on_event(event) if isinstance(hook, EventHook) else hook(event)
            if inspect.isawaitable(told):
                await told
        except (Exception, asyncio.CancelledError):
            if being_cancelled():
                raise
            _log.exception("a hook raised on %s; the run goes on", type(event).__name__)
