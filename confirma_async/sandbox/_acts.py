"""How each fault is done on an aiohttp connection."""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Awaitable, Callable
from typing import Protocol

import attrs
from aiohttp import web

from ._reply import Reply

_LINGER = struct.pack("hh" if sys.platform == "win32" else "ii", 1, 0)  # close at once, with a reset


@attrs.frozen
class Exchange:
    """One request and what is needed to answer it.

    `answer` makes the ordinary answer, and with it the request takes effect. `pause` waits that many seconds
    (None: without end) and tells whether the server began to close meanwhile.
    """

    request: web.BaseRequest
    answer: Callable[[], Reply]
    pause: Callable[[float | None], Awaitable[bool]]


class Act(Protocol):
    """What is done to one request."""

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Return the answer; None where the connection was ended without one."""
        ...


@attrs.frozen
class PassedOn:
    """The ordinary answer."""

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Answer."""
        return response_for(exchange.answer())


@attrs.frozen
class Answered:
    """A fixed answer."""

    reply: Reply

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Answer with it; the request has no effect."""
        return response_for(self.reply)


@attrs.frozen
class Dropped:
    """No answer, and the connection is gone."""

    reset: bool
    late: bool

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Let the request take effect if `late`, then end the connection."""
        if self.late:
            exchange.answer()
        if self.reset:
            reset(exchange.request)
        else:
            close(exchange.request)
        return None


@attrs.frozen
class WireBytes:
    """Bytes that are no HTTP, perhaps."""

    data: bytes

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Write them past aiohttp and close."""
        if (transport := exchange.request.transport) is not None:
            transport.write(self.data)
        close(exchange.request)
        return None


@attrs.frozen
class Cut:
    """A body that ends too early."""

    after: int

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Promise the whole body, send its beginning and close."""
        reply = exchange.answer()
        response = await _begun(exchange, reply, max(len(reply.body), self.after + 1))
        await response.write(reply.body[: self.after])
        close(exchange.request)
        return response


@attrs.frozen
class Slowed:
    """A body in pieces."""

    seconds: float
    pieces: int

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Send the pieces with pauses between them."""
        reply = exchange.answer()
        response = await _begun(exchange, reply, len(reply.body))
        step = max(1, -(-len(reply.body) // self.pieces))
        for start in range(0, len(reply.body), step):
            if start:
                await exchange.pause(self.seconds)
            await response.write(reply.body[start : start + step])
        return response


@attrs.frozen
class Hung:
    """Silence."""

    seconds: float | None

    async def perform(self, exchange: Exchange) -> web.StreamResponse | None:
        """Wait; answer after all if there is an end to it."""
        if await exchange.pause(self.seconds):
            close(exchange.request)
            return None
        return response_for(exchange.answer())


def response_for(reply: Reply) -> web.Response:
    """Put an answer into aiohttp's form."""
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


async def _begun(exchange: Exchange, reply: Reply, length: int) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = length
    await response.prepare(exchange.request)
    return response


def close(request: web.BaseRequest) -> None:
    """End the connection after what was written has gone out."""
    if request.transport is not None:
        request.transport.close()


def reset(request: web.BaseRequest) -> None:
    """End the connection so that the other side sees a reset."""
    if request.transport is not None:
        request.transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
        request.transport.abort()
