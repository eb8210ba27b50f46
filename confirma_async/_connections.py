"""aiohttp sessions and slots, one set for each running loop; owned ones end with their loop."""

from __future__ import annotations

import asyncio
import gc
import socket
import warnings
import weakref
from collections.abc import AsyncGenerator

import aiohttp
import attrs

from .errors import ClientClosedError, ConfigurationError


@attrs.define(eq=False, repr=False)
class Lease:
    """What one loop works with; `keeper` closes an owned session, at the latest when its loop shuts down."""

    session: aiohttp.ClientSession
    keeper: AsyncGenerator[None, None] | None
    sockets: weakref.WeakSet[socket.socket]


class Connections:
    """Makes sessions lazily and closes what it made; a caller's session is used on its own loop only."""

    def __init__(self, given: aiohttp.ClientSession | None) -> None:
        self._given = given
        self._leases: dict[asyncio.AbstractEventLoop, Lease] = {}
        self._closed = False

    def opened(self) -> aiohttp.ClientSession | None:
        """Return the session of the running loop, None where one has to be opened first."""
        lease = self._leases.get(asyncio.get_running_loop())
        return None if lease is None or (lease.keeper is not None and lease.session.closed) else lease.session

    async def session(self) -> aiohttp.ClientSession:
        """Return the session of the running loop."""
        return self.opened() or (await self._open(asyncio.get_running_loop())).session

    async def _open(self, loop: asyncio.AbstractEventLoop) -> Lease:
        if self._closed:
            raise ClientClosedError("the client is closed")
        ended = [self._leases.pop(old) for old in list(self._leases) if old.is_closed()]
        lease = self._leases[loop] = self._lend(loop) if self._given is not None else _own_session()
        if lease.keeper is not None:
            await anext(lease.keeper)
        for old in ended:
            await _bury(old)
        return lease

    def _lend(self, loop: asyncio.AbstractEventLoop) -> Lease:
        assert self._given is not None  # noqa: S101  # the one caller has looked
        # aiohttp warns when its public `loop` is read, and offers no other way to ask.
        if getattr(self._given, "_loop", loop) is not loop:
            raise ConfigurationError("the given aiohttp session belongs to another event loop")
        return Lease(self._given, None, weakref.WeakSet())

    async def aclose(self) -> None:
        """Close every session that was made here."""
        self._closed = True
        running = asyncio.get_running_loop()
        for loop, lease in list(self._leases.items()):
            del self._leases[loop]
            if loop is running and lease.keeper is not None:
                await lease.keeper.aclose()
            elif lease.keeper is not None:
                await _bury(lease)


def _own_session() -> Lease:
    sockets: weakref.WeakSet[socket.socket] = weakref.WeakSet()

    def make(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, *_ = address
        made = socket.socket(family=family, type=kind, proto=protocol)
        sockets.add(made)
        return made

    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, socket_factory=make),  # the slots are the limit
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        auto_decompress=False,
    )
    return Lease(session, _keep(session), sockets)


async def _keep(session: aiohttp.ClientSession) -> AsyncGenerator[None, None]:
    """Close the session when closed, or when the loop shuts its asynchronous generators down."""
    try:
        yield
    finally:
        await session.close()
        await asyncio.sleep(0)  # transports close their sockets one turn of the loop later


async def _bury(lease: Lease) -> None:
    """Close the sockets of a loop that ended without shutting down: its transports can no longer do it."""
    await lease.session.close()
    for left in list(lease.sockets):
        left.close()
    with warnings.catch_warnings():  # each of these transports would complain that nobody closed it
        warnings.simplefilter("ignore", ResourceWarning)
        del lease.session
        gc.collect()
