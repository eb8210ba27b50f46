"""Who has the key and who renews it: one renewal for any number of refusals."""

from __future__ import annotations

import asyncio
import copy
import inspect
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias, runtime_checkable

import attrs

from ._checks import Secret, masked, require_key
from .errors import ConfigurationError, ConfirmaError, KeyRenewalError, KeyStateUnknownError
from .events import being_cancelled

SendRenewal: TypeAlias = Callable[[Secret, Callable[[], None]], Awaitable[Secret]]
"""Puts a renewal of a key on the wire; calls its second argument just before that, when all waiting is over."""


_PATIENCE_ON_CLOSING = 10.0


@runtime_checkable
class KeySource(Protocol):
    """Where keys come from: `get` gives the current one, `renew` a new one for the one that was refused.

    `get` is asked before every request; `renew` once for any number of concurrent refusals of one key.
    """

    async def get(self) -> str: ...

    async def renew(self, rejected: str) -> str: ...


class RenewingKey:
    """A key that renews itself at the service's own renew endpoint when it is refused.

    `save` (plain or a coroutine function) gets the new key **before** it is used, so that it is never lost;
    while saving fails, the key waits in `unsaved` and nothing is sent. The renew request changes state at
    the service and is put on the wire once: where its answer is lost, `KeyStateUnknownError` is raised and
    nothing is sent again. The endpoint is marked "Developing" on the vendor's page; the field of its answer
    that holds the key is unknown (`ServiceProfile.renew_key_field`).
    """

    def __init__(self, key: str, *, save: Callable[[str], Awaitable[None] | None]) -> None:
        hidden = masked(key)
        key = ""
        key = require_key(hidden)
        if not callable(save):
            raise ConfigurationError("save must be callable: it keeps the new key")
        self._key = key
        self._save = save
        self._unsaved: Secret | None = None
        self._answer_lost = False
        self._saving, self._renewing = _LoopLock(), _LoopLock()

    def __repr__(self) -> str:
        return "RenewingKey('***')"

    @property
    def unsaved(self) -> str | None:
        """The new key that `save` could not keep yet, or None."""
        return self._unsaved

    @property
    def at_stake(self) -> bool:
        """Whether a renewal is on the wire or its key not saved yet: to stop now could lose it."""
        return self._answer_lost or self._unsaved is not None

    async def get(self) -> str:
        await self._keep()
        return self._key

    async def renew(self, rejected: str) -> str:
        """Return the key that replaced a refused one; to get a new one takes the client that uses this source."""
        await self._keep()
        if rejected != self._key:
            return self._key
        raise KeyRenewalError("only a client renews this key: it has the connection")

    async def renew_through(self, send: SendRenewal, rejected: str) -> str:
        """Return the key that replaces a refused one; at the client's hand, which says how it is sent."""
        async with self._renewing.of_running_loop():
            return await self._renew(send, rejected)

    async def _renew(self, send: SendRenewal, rejected: str) -> str:
        await self._keep()
        if rejected != self._key:
            return self._key
        if self._answer_lost:
            raise KeyStateUnknownError(
                "a renewal was sent and its answer was lost: the key may be void; get a new one from the service"
            )
        try:
            self._unsaved = require_key(await send(self._key, self._on_the_wire))
        except KeyStateUnknownError:
            raise
        except KeyRenewalError:
            self._answer_lost = False  # the service refused, or was never reached
            raise
        self._answer_lost = False
        await self._keep()
        return self._key

    def _on_the_wire(self) -> None:
        self._answer_lost = True  # until proved otherwise: a loop that is cancelled must not renew twice

    async def _keep(self) -> None:
        if self.unsaved is None:
            return
        async with self._saving.of_running_loop():
            unsaved = self._unsaved
            if unsaved is None:  # somebody saved it meanwhile
                return
            try:
                kept = self._save(str(unsaved))
                if inspect.isawaitable(kept):
                    await kept
            except (Exception, asyncio.CancelledError) as failure:
                if being_cancelled():
                    raise
                problem = type(failure).__name__  # the caller's code: its words may hold the key
            else:
                self._key, self._unsaved = unsaved, None
                return
        raise KeyRenewalError(
            f"the new key could not be saved ({problem}): it waits in RenewingKey.unsaved, and nothing is sent before"
        )


class _LoopLock:
    """A lock for whichever loop is running: asyncio's belong to one."""

    def __init__(self) -> None:
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    def of_running_loop(self) -> asyncio.Lock:
        """Return the lock to hold."""
        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:
            self._lock = (loop, asyncio.Lock())
        return self._lock[1]


@attrs.define(eq=False, repr=False)
class KeyInUse:
    """A key as it goes out, and how many renewals had ended when it was taken."""

    key: Secret
    generation: int


class Authenticator:
    """Gives the key for each request and leads renewals; the renewal outlives the task that asked for it.

    `fixed`: the key that is used for ever, None where a source gives it.
    """

    def __init__(
        self, source: Secret | KeySource, send: SendRenewal, on_renewed: Callable[[], Awaitable[None]]
    ) -> None:
        self._source, self._send = source, send
        self._on_renewed = on_renewed
        self.fixed = KeyInUse(source, 0) if isinstance(source, Secret) else None
        self._generation = 0
        self._replaced: dict[str, Secret] = {}
        self._last_failure: ConfirmaError | None = None
        self._renewal: asyncio.Task[None] | None = None

    @property
    def renewable(self) -> bool:
        """Whether a refused key can be replaced."""
        return self.fixed is None

    async def key(self) -> KeyInUse:
        """Return the current key of a source; raises `KeyRenewalError` where its source has none."""
        source = self._source
        assert not isinstance(source, Secret)  # noqa: S101  # that one is `fixed`
        generation = self._generation
        given = await _from_source(source.get)
        return KeyInUse(self._replaced.get(given, given), generation)

    async def renew(self, refused: KeyInUse) -> None:
        """See to it that `refused` has been replaced; every waiter hears of a failure."""
        if self._generation == refused.generation:
            if self._renewal is None or self._renewal.get_loop() is not asyncio.get_running_loop():
                self._renewal = asyncio.create_task(self._renew(refused.key), name="confirma_async key renewal")
            await asyncio.shield(self._renewal)
        if self._last_failure is not None:
            raise copy.copy(self._last_failure)

    async def settle(self, seconds: float) -> None:
        """Let a running renewal end, so that its key is saved; at most so long."""
        renewal = self._renewal
        if renewal is not None and renewal.get_loop() is asyncio.get_running_loop():
            patience = min(seconds, _PATIENCE_ON_CLOSING)
            if isinstance(self._source, RenewingKey):
                patience = seconds if self._source.at_stake else 0.0
            await asyncio.wait([renewal], timeout=patience)
            renewal.cancel()

    async def _renew(self, rejected: Secret) -> None:
        # Failures are kept as values: an exception nobody is left to hear would be logged as "never retrieved".
        self._last_failure = None
        try:
            new = await self._ask_source(rejected)
        except ConfirmaError as failure:
            self._last_failure = failure
        else:
            self._replaced = dict.fromkeys((*self._replaced, rejected), new)
            self._replaced.pop(new, None)
        finally:
            self._generation += 1
            self._renewal = None
        if self._last_failure is None:
            await self._on_renewed()

    async def _ask_source(self, rejected: Secret) -> Secret:
        source = self._source
        assert not isinstance(source, Secret)  # noqa: S101  # `renewable` was asked first
        current = await _from_source(source.get)
        if current not in (rejected, *self._replaced):
            return current  # somebody rotated it meanwhile
        if isinstance(source, RenewingKey):
            return await _from_source(lambda: source.renew_through(self._send, rejected))
        return await _from_source(lambda: source.renew(rejected))


async def _from_source(ask: Callable[[], Awaitable[str]]) -> Secret:
    """Return what a key source gives; whatever it raises becomes `KeyRenewalError`, without its words."""
    try:
        return require_key(await ask())
    except KeyRenewalError:
        raise
    except ConfirmaError as failure:
        problem = f"the key source gave no usable key: {failure}"
    except (Exception, asyncio.CancelledError) as failure:
        if being_cancelled():
            raise
        problem = f"the key source raised {type(failure).__name__}"
    raise KeyRenewalError(problem)
