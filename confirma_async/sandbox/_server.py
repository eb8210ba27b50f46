"""The sandbox's server: one listener on loopback, three endpoints, and the books of what happened."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

import attrs
from aiohttp import ClientConnectionResetError, web

from ._acts import Exchange, PassedOn, response_for
from ._answer import distribution
from ._faults import Fault, Script
from ._journal import Entry, Journal, SandboxRequest
from ._keys import KEY_HEADER, KeyRing
from ._reply import Reply, json_reply, refusal
from ._rows import RowWriter
from ._switches import Switches

if TYPE_CHECKING:
    from confirma_async.client import ConfirmaClient

DISTRIBUTION: Final = "/api/v1/partner/invoice/distribution"
VALIDATE: Final = "/api/v1/partner/validate"
RENEW: Final = "/api/v1/partner/renew"

_ENDPOINTS: Final = frozenset({DISTRIBUTION, VALIDATE, RENEW})
_HOST: Final = "127.0.0.1"  # never another one: the sandbox has no TLS
_CLOSING_SECONDS: Final = 0.1  # for an answer that a client does not read


@attrs.define(eq=False, repr=False)
class SandboxServer(Switches):
    """A server on 127.0.0.1 that behaves as the Confirma service does, with synthetic invoices.

    Use it as ``async with SandboxServer() as sandbox``, or call `start` and `aclose`; it cannot be started
    twice. Arguments are the fields of its base class and the two scripts; what they refuse is a
    `ConfigurationError`. Leaving ``async with`` raises `AssertionError` for what `verify` finds, if `strict`.
    """

    faults: Iterable[Fault] = attrs.field(default=(), kw_only=True, on_setattr=attrs.setters.frozen)
    """Script for the distribution endpoint; `script` adds to it."""
    renew_faults: Iterable[Fault] = attrs.field(default=(), kw_only=True, on_setattr=attrs.setters.frozen)
    """Script for the renew endpoint."""
    _keys: KeyRing = attrs.field(init=False)
    _rows: RowWriter = attrs.field(init=False)
    _journal: Journal = attrs.field(init=False)
    _scripts: dict[str, Script] = attrs.field(init=False)
    _broken: list[Exception] = attrs.field(init=False, factory=list)
    _runner: web.ServerRunner | None = attrs.field(init=False, default=None)
    _closing: asyncio.Event = attrs.field(init=False, factory=asyncio.Event)
    _in_flight: int = attrs.field(init=False, default=0)
    _max_in_flight: int = attrs.field(init=False, default=0)
    _url: str = attrs.field(init=False, default="")

    def __attrs_post_init__(self) -> None:
        self._keys = KeyRing(self.seed)
        self._rows = RowWriter(
            seed=self.seed,
            numbers=self.invoice_numbers,
            timestamps=self.timestamps,
            extra=self.extra_fields,
        )
        self._journal = Journal(self.keep_requests)
        self._scripts = {DISTRIBUTION: Script(), RENEW: Script()}
        for path, faults in ((DISTRIBUTION, self.faults), (RENEW, self.renew_faults)):
            for fault in faults:
                self._scripts[path].add(fault)

    def __repr__(self) -> str:
        return f"<SandboxServer {self._url or 'not started'}>"

    @property
    def url(self) -> str:
        """Address without a path; `RuntimeError` before the start."""
        if not self._url:
            raise RuntimeError("the sandbox has not been started")
        return self._url

    @property
    def api_key(self) -> str:
        """The key that holds now: synthetic, derived from the seed."""
        return self._keys.current

    @property
    def renewals(self) -> int:
        """How often the key was renewed."""
        return self._keys.renewals

    @property
    def requests(self) -> list[SandboxRequest]:
        """What was asked, in order of arrival, keys masked; at most the latest `keep_requests`."""
        return self._journal.records

    @property
    def unexpected(self) -> list[SandboxRequest]:
        """Those of `requests` that no endpoint of the sandbox answers."""
        return self._journal.unexpected

    @property
    def in_flight(self) -> int:
        """Requests that have arrived and are not answered yet."""
        return self._in_flight

    @property
    def max_in_flight(self) -> int:
        """The most requests that were in flight at one time."""
        return self._max_in_flight

    @property
    def generated(self) -> int:
        """Rows made so far; a page that is asked again may come from memory."""
        return self._rows.written

    def script(self, *faults: Fault) -> None:
        """Add faults for the distribution endpoint: each is taken by one request that it matches, in order."""
        for fault in faults:
            self._scripts[DISTRIBUTION].add(fault)

    def client(self, **options: object) -> ConfirmaClient:
        """A client of this sandbox that waits milliseconds between attempts; options replace or add to its own."""
        from confirma_async.client import ConfirmaClient
        from confirma_async.config import RetryPolicy

        chosen = {
            "api_key": self.api_key,
            "base_url": self.url,
            "retry": RetryPolicy(initial_wait=0.001, max_wait=0.01),
            **options,
        }
        return ConfirmaClient(**chosen)  # type: ignore[arg-type]  # checked by the client itself

    async def start(self) -> None:
        """Listen; `OSError` where the port is taken."""
        if self._runner is not None:
            raise RuntimeError("a sandbox is started once")
        server = web.Server(self._handle, access_log=None, handler_cancellation=True)
        self._runner = runner = web.ServerRunner(server, shutdown_timeout=_CLOSING_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, _HOST, self.port).start()
        except BaseException:
            await runner.cleanup()
            raise
        self._url = f"http://{_HOST}:{runner.addresses[0][1]}"

    async def aclose(self) -> None:
        """Stop listening and end every connection, hanging answers too; again is fine."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()

    def verify(self) -> None:
        """Raise `AssertionError` for requests nobody answers, faults nobody met, and functions of yours that failed."""
        asked = [f"unexpected {request.method} {request.path}" for request in self.unexpected]
        unused = [f"unused {fault!r}" for script in self._scripts.values() for fault in script.unused()]
        failed = [f"failed with {error!r}" for error in self._broken]
        if complaints := asked + unused + failed:
            raise AssertionError("sandbox: " + "; ".join(complaints))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
        if self.strict and kind is None:
            self.verify()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        entry = self._journal.open(self._keys.record(request))
        self._in_flight += 1
        self._max_in_flight = max(self._max_in_flight, self._in_flight)
        try:
            response = await self._respond(request, entry)
        except ClientConnectionResetError:  # the client left in the middle of its answer
            response = None
        except Exception as error:
            self._broken.append(error)
            entry.close(500)
            raise
        finally:
            self._in_flight -= 1
        entry.close(None if response is None else response.status)
        return web.Response() if response is None else response

    async def _respond(self, request: web.BaseRequest, entry: Entry) -> web.StreamResponse | None:
        if request.path not in _ENDPOINTS or request.method != "GET":
            self._journal.flag(entry)
            return response_for(_unexpected(entry.record))
        if self.latency:
            await self._pause(self.latency)
        script = self._scripts.get(request.path)
        fault = script.take(entry.record) if script else None
        exchange = Exchange(request, partial(self._answer, request), self._pause)
        return await (fault.act if fault else PassedOn()).perform(exchange)

    def _answer(self, request: web.BaseRequest) -> Reply:
        """The ordinary answer; from here on the request has taken effect."""
        key = self._keys.state(request.headers.get(KEY_HEADER))
        expired = self._keys.expired(self.unauthorized_after)
        if key != "current" or (expired and request.path != RENEW):
            return refusal(401, "Unauthorized")
        if request.path == DISTRIBUTION:
            self._keys.admit()
            reply = distribution(request.query, self, self._rows)
        elif request.path == VALIDATE:
            reply = json_reply(200, {"isValid": True, "message": "Token is valid"})
        else:
            reply = json_reply(200, {self.renew_field: self._keys.renew()})
        accepted = request.headers.get("Accept-Encoding", "")
        return reply.compressed() if self.gzip and "gzip" in accepted else reply

    async def _pause(self, seconds: float | None) -> bool:
        """Wait; closing ends it early, which is told."""
        try:
            async with asyncio.timeout(seconds):
                return await self._closing.wait()
        except TimeoutError:
            return False


def _unexpected(record: SandboxRequest) -> Reply:
    status, why = (405, "only GET is known here") if record.path in _ENDPOINTS else (404, "no such endpoint")
    return refusal(status, f"SandboxServer: {why}: {record.method} {record.path}")
