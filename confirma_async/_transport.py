"""One request through aiohttp, plain facts back: caps, decompression, and the table of foreign errors.

Decides nothing: whether to try again, and what a status means, is said elsewhere. No exception of the HTTP
library leaves this module, not even as cause or context, since theirs carry the request's headers.
"""

from __future__ import annotations

import math
import ssl
import zlib
from collections.abc import Callable, Mapping
from http import HTTPStatus

import aiohttp
import attrs
from yarl import URL

from ._checks import Secret
from ._version import __version__
from ._wire import RawReply, Request
from .config import Timeouts
from .errors import (
    ClientClosedError,
    ConfirmaError,
    ConnectError,
    ProtocolError,
    RequestTimeoutError,
    ResponseTooLargeError,
    TruncatedResponseError,
)

KEY_HEADER = "X-Api-Key"  # the distribution endpoint's page
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    "User-Agent": f"confirma-async/{__version__}",
}
_WINDOW_BITS = {"gzip": 31, "x-gzip": 31, "deflate": 15}
_RAW_DEFLATE = -15
_OK = HTTPStatus.OK.value  # a plain number: to look up an enum's member takes Python
_FOREIGN = (aiohttp.ClientError, OSError)  # TimeoutError is an OSError
MOST_OF_AN_ERROR = 64 * 1024
"""Bytes of an error's body that are read at most."""


class _InterruptedError(aiohttp.ClientError):
    """A connection that ended before an answer, under a name for which aiohttp does not resend."""


async def _no_resend(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Stop aiohttp from sending a GET a second time by itself: requests on the wire equal attempts."""
    try:
        return await handler(request)
    except aiohttp.ClientConnectorError:
        raise  # never connected, and never resent
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError):
        raise _InterruptedError from None


@attrs.define(eq=False, repr=False)
class Transport:
    """How one request is put on the wire.

    `max_bytes` bounds the body twice: as it comes and decoded. `proxy` and `ssl_context` are the caller's;
    proxies of the environment and netrc are ignored.
    """

    timeouts: Timeouts
    max_bytes: int
    proxy: str | None = None
    ssl_context: ssl.SSLContext | None = None
    _limits: aiohttp.ClientTimeout = attrs.field(
        init=False,
        default=attrs.Factory(lambda self: _limits(self.timeouts, self.timeouts.total), takes_self=True),
    )

    async def send(
        self, session: aiohttp.ClientSession, request: Request, key: Secret, left: float = math.inf
    ) -> RawReply:
        """Send one GET once and return what came back, within `left` seconds at most.

        Raises `TransportError` and its kinds; `ClientClosedError` where the session is closed.
        """
        if session.closed:
            raise ClientClosedError("the aiohttp session is closed")
        outcome = await self._exchange(session, request, key, left)
        if isinstance(outcome, ConfirmaError):
            raise outcome  # from here, where no local variable holds what the server sent
        return outcome

    async def _exchange(
        self, session: aiohttp.ClientSession, request: Request, key: Secret, left: float
    ) -> RawReply | ConfirmaError:
        try:
            async with session.request(
                request.method,
                URL(request.url, encoded=True),
                headers={KEY_HEADER: key, **_HEADERS},
                allow_redirects=False,
                raise_for_status=False,
                auto_decompress=False,
                middlewares=(_no_resend,),
                timeout=self._limits if left >= self.timeouts.total else _limits(self.timeouts, left),
                proxy=self.proxy,
                ssl=self.ssl_context or True,
            ) as response:
                if response.status == _OK:
                    body = await self._body(response, request)
                else:
                    body = await self._start_of_body(response, request)
                return RawReply(response.status, response.headers, body)
        except ConfirmaError as error:
            return error.with_traceback(None)
        except _FOREIGN as error:
            return _translate(error, request)

    async def _body(self, response: aiohttp.ClientResponse, request: Request) -> bytes:
        inflater = _Inflater.of(response.headers, request, self.max_bytes)
        parts: list[bytes] = []
        received = 0
        while chunk := await response.content.readany():
            received += len(chunk)
            if received > self.max_bytes:
                response.close()
                raise _too_large(request, self.max_bytes)
            parts.append(chunk if inflater is None else inflater.feed(chunk))
        if inflater is not None and received:
            inflater.finish()
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _start_of_body(self, response: aiohttp.ClientResponse, request: Request) -> bytes:
        """Return what can be read of the body of an error: the status stands, however its body ends."""
        start = bytearray()
        try:
            inflater = _Inflater.of(response.headers, request, MOST_OF_AN_ERROR)
            while len(start) < MOST_OF_AN_ERROR and (chunk := await response.content.readany()):
                start += chunk if inflater is None else inflater.feed(chunk)
        except (ConfirmaError, *_FOREIGN):
            response.close()
        if len(start) >= MOST_OF_AN_ERROR:
            response.close()
        return bytes(start)


def _limits(timeouts: Timeouts, total: float) -> aiohttp.ClientTimeout:
    # Above its threshold aiohttp would round up to the next whole second.
    return aiohttp.ClientTimeout(
        total=total, connect=timeouts.connect, sock_read=timeouts.read, ceil_threshold=math.inf
    )


def _too_large(request: Request, limit: int) -> ResponseTooLargeError:
    return ResponseTooLargeError(
        f"the answer to {request.method} {request.shown} is larger than max_response_bytes ({limit:,})", limit=limit
    )


class _Inflater:
    """A compressed body, decoded in bounded steps; knows whether the stream came to its end."""

    def __init__(self, coding: str, request: Request, limit: int) -> None:
        self._coding, self._request, self._limit = coding, request, limit
        self._left = limit
        self._stream: zlib._Decompress | None = None

    @classmethod
    def of(cls, headers: Mapping[str, str], request: Request, limit: int) -> _Inflater | None:
        """Return the decoder that a body needs, None for a plain one."""
        coding = headers.get("Content-Encoding", "").strip().lower()
        if coding in {"", "identity"}:
            return None
        if coding not in _WINDOW_BITS:
            raise ProtocolError(f"the answer to {request.method} {request.shown} has a coding that was not asked for")
        return cls(coding, request, limit)

    def feed(self, chunk: bytes) -> bytes:
        """Return what the next bytes stand for; raises `ResponseTooLargeError` before it outgrows the limit."""
        if self._stream is None:
            self._stream = self._open(chunk)
        decoded = bytearray()
        while chunk:
            if self._stream.eof:  # another gzip member follows
                self._stream = self._open(chunk)
            decoded += self._decompress(chunk, self._left + 1 - len(decoded))
            if len(decoded) > self._left:
                raise _too_large(self._request, self._limit)
            chunk = self._stream.unused_data or self._stream.unconsumed_tail
        self._left -= len(decoded)
        return bytes(decoded)

    def _decompress(self, chunk: bytes, most: int) -> bytes:
        assert self._stream is not None  # noqa: S101  # the one caller has opened it
        try:
            return self._stream.decompress(chunk, most)
        except zlib.error:
            pass  # its traceback would hold what the server sent
        raise self._cut("is not a valid compressed stream")

    def finish(self) -> None:
        """Raise `TruncatedResponseError` unless the stream came to its end: valid framing may hide a cut."""
        if self._stream is None or not self._stream.eof:
            raise self._cut("ends in the middle of its compressed stream")

    def _open(self, chunk: bytes) -> zlib._Decompress:
        bits = _WINDOW_BITS[self._coding]
        if self._coding == "deflate" and chunk[0] & 0x0F != zlib.DEFLATED:
            bits = _RAW_DEFLATE  # servers that send the bare stream are common
        return zlib.decompressobj(bits)

    def _cut(self, what: str) -> TruncatedResponseError:
        return TruncatedResponseError(f"the answer to {self._request.method} {self._request.shown} {what}")


_Make = Callable[[str, BaseException], ConfirmaError]


def _reason(error: BaseException) -> str:
    inner = getattr(error, "os_error", error)
    return str(getattr(inner, "strerror", "") or type(inner).__name__)


_TABLE: tuple[tuple[type[BaseException] | tuple[type[BaseException], ...], _Make], ...] = (
    (
        (aiohttp.ClientConnectorCertificateError, aiohttp.ServerFingerprintMismatch),
        lambda where, _: ConnectError(f"the server's certificate was refused for {where}", retryable=False),
    ),
    (
        aiohttp.ConnectionTimeoutError,
        lambda where, _: RequestTimeoutError(f"no connection in time for {where}", phase="connect"),
    ),
    (
        aiohttp.ServerTimeoutError,
        lambda where, _: RequestTimeoutError(f"the server fell silent during {where}", phase="read"),
    ),
    (
        (aiohttp.ClientConnectorError, aiohttp.ClientHttpProxyError),
        lambda where, error: ConnectError(f"cannot connect for {where}: {_reason(error)}"),
    ),
    (
        (_InterruptedError, aiohttp.ClientConnectionError),
        lambda where, _: TruncatedResponseError(f"the connection was closed during {where}"),
    ),
    (aiohttp.ClientPayloadError, lambda where, _: TruncatedResponseError(f"the answer was cut off during {where}")),
    (aiohttp.ClientError, lambda where, _: ProtocolError(f"the answer is not valid HTTP for {where}")),
    (TimeoutError, lambda where, _: RequestTimeoutError(f"no whole answer in time for {where}", phase="total")),
    (OSError, lambda where, error: ConnectError(f"the network failed during {where}: {_reason(error)}")),
)


def _translate(error: BaseException, request: Request) -> ConfirmaError:
    where = f"{request.method} {request.shown}"
    return next(make(where, error) for kinds, make in _TABLE if isinstance(error, kinds))
