"""The funnel: every request of a client passes here, gets its key here, and is tried again from here."""

from __future__ import annotations

import asyncio
import functools
import logging
import ssl
import time
import weakref
from collections.abc import Callable, Sequence
from http import HTTPStatus

import aiohttp
import attrs

from ._auth import Authenticator, KeyInUse, KeySource
from ._calls import Call
from ._checks import Secret
from ._connections import Connections
from ._findings import Diagnosis, Tally
from ._gate import Gate, Lane, Pace
from ._retry import CallRules, RetryBudget, is_transient
from ._transport import Transport
from ._wire import (
    Answer,
    RawReply,
    Request,
    parse_retry_after,
    raise_for_status,
    read_renewed_key,
    renew_request,
)
from .config import DEFAULT_MAX_RESPONSE_BYTES, Paging, RetryPolicy, ServiceProfile, Timeouts
from .errors import (
    AuthenticationError,
    ClientClosedError,
    ConfigurationError,
    ConfirmaError,
    ConnectError,
    KeyRenewalError,
    KeyStateUnknownError,
    RequestTimeoutError,
)
from .events import ClientPaused, Event, Hook, KeyRenewed, RetryScheduled, notify

_log = logging.getLogger("confirma_async")
_RENEWAL_RANK = -1


@attrs.frozen(kw_only=True)
class Settings:
    """Everything that shapes requests, checked; see `ConfirmaClient` for units and defaults."""

    base_url: str
    retry: RetryPolicy = attrs.field(factory=RetryPolicy)
    timeouts: Timeouts = attrs.field(factory=Timeouts)
    concurrency: int = 8
    max_rate: float | None = None
    max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES
    paging: Paging = attrs.field(factory=Paging.auto)
    profile: ServiceProfile = attrs.field(factory=ServiceProfile)
    proxy: str | None = attrs.field(default=None, repr=False)
    ssl_context: ssl.SSLContext | None = None


class SessionManager:
    """Sends requests over aiohttp with one client session for each running loop.

    Made without a loop, used from any task and in successive loops. `session` is the caller's: used on its
    own loop only and never closed. Calls wait for a slot, for the rate and for pauses in one queue, and
    hold a slot only while they are on the wire.
    """

    def __init__(
        self,
        settings: Settings,
        source: Secret | KeySource,
        *,
        session: aiohttp.ClientSession | None = None,
        hooks: Sequence[Hook] = (),
    ) -> None:
        self.settings = settings
        self.hooks = tuple(hooks)
        self.diagnosis = Diagnosis()
        self.tally = Tally()
        self._source = source
        self._connections, self._owner = Connections(session), True
        self._gates: dict[asyncio.AbstractEventLoop, Gate] = {}
        self._pace = Pace(settings.max_rate)
        self._budget = RetryBudget(settings.retry.budget)
        self._transport = Transport(
            settings.timeouts, settings.max_response_bytes, settings.proxy, settings.ssl_context
        )
        self._auth, self._shares_key = Authenticator(source, self._send_renewal, self._renewed), False
        self._renewing = weakref.WeakSet({self._auth})  # of all copies: their renewals end before the connections
        self._closed = False
        self._origin = settings.base_url + "/"

    @property
    def base_url(self) -> str:
        """Where requests go, without trailing slash."""
        return self.settings.base_url

    @property
    def profile(self) -> ServiceProfile:
        """What is believed of the service."""
        return self.settings.profile

    def copy(self, settings: Settings, source: Secret | KeySource, hooks: Sequence[Hook]) -> SessionManager:
        """Return a manager with other settings that shares connections, and all state its settings still fit."""
        other = SessionManager(settings, source, hooks=hooks)
        other._connections, other._owner = self._connections, False
        if source is self._source:
            other._auth, other._shares_key = self._auth, True
        other._renewing = self._renewing
        other._renewing.add(other._auth)
        if (settings.concurrency, settings.max_rate) == (self.settings.concurrency, self.settings.max_rate):
            other._gates, other._pace = self._gates, self._pace
        if settings.retry.budget == self.settings.retry.budget:
            other._budget = self._budget
        kept = self.settings
        if (settings.base_url, settings.paging, settings.profile) == (kept.base_url, kept.paging, kept.profile):
            other.diagnosis = self.diagnosis
        return other

    async def aclose(self) -> None:
        """Close what was opened here; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        own = () if self._shares_key else (self._auth,)
        for auth in list(self._renewing) if self._owner else own:
            await auth.settle(self.settings.timeouts.total)
        if self._owner:
            await self._connections.aclose()

    @property
    def closed(self) -> bool:
        """Whether `aclose` was called."""
        return self._closed

    async def call(
        self,
        request: Request,
        *,
        rank: int = 0,
        lane: Lane | None = None,
        tally: Tally | None = None,
        skip_invalid: bool = False,
    ) -> Answer:
        """Send a request, and again as the rules allow, and return its answer.

        `rank`: lower goes first when slots are short, counted from the head of a `lane`. `tally`: counts what
        this call costs, besides the client's own. Raises the typed error that ended the call, with `attempts`
        and `elapsed`.
        """
        rules = CallRules(self.settings.retry, self._budget)
        call = Call(request, rules, rank, lane)
        call.tallies = (self.tally,) if tally is None else (self.tally, tally)
        call.skip_invalid = skip_invalid
        try:
            return await self._attempt(call)
        except ConfirmaError as error:
            if not is_transient(error):
                raise
            failure = error
        attempt, scheduled = functools.partial(self._attempt, call), functools.partial(self._retry_scheduled, call)
        return await rules.repeat(failure, attempt, scheduled)

    async def _attempt(self, call: Call) -> Answer:
        """Make one attempt: slot, clock, wire; and what its failure means for the next one.

        An answer is read when its slot is free again and the next request has left; anything else while the
        slot is held, since it may hold back the client.
        """
        self._refuse_closed()
        gate = self._gate()
        if not gate.entered():
            await gate.enter(call.rank, call.lane)
        outcome: RawReply | Answer | ConfirmaError
        try:
            outcome = await self._hold_slot(call)
        finally:
            let_in = gate.leave()
        if isinstance(outcome, RawReply):
            if let_in or call.can_wait:
                await asyncio.sleep(0)  # whoever was let in comes first, and what the head of the lane wants next,
                await asyncio.sleep(0)  # before any other answer that came in the same turn of the loop
            outcome = call.read(outcome)
        if self.hooks:
            await self._tell_ended(call, outcome)
        if call.pause is not None:
            await self._tell(ClientPaused(call.pause))
        if isinstance(outcome, Answer):
            self._budget.succeed()
            return outcome
        rules, used = call.rules, call.used
        if isinstance(outcome, AuthenticationError) and used and self._auth.renewable and not rules.replayed:
            outcome = await self._replace_key(used, rules)
        rules.stamp(outcome)
        raise outcome

    async def _hold_slot(self, call: Call) -> RawReply | ConfirmaError:
        """Do what needs the slot: put the request on the wire, and weigh what came unless it is an answer."""
        rules, began = call.rules, time.monotonic()
        rules.started = rules.started or began
        call.pause = None
        try:
            call.used = self._auth.fixed or await self._key(rules)
            raw = await self._once(call, call.used, rules.left - (time.monotonic() - began))
            raise_for_status(raw, call.request, call.used.key)
        except ConfirmaError as error:
            return self._weigh(error, call, time.monotonic() - began)
        return raw

    def _weigh(self, failure: ConfirmaError, call: Call, seconds: float) -> ConfirmaError:
        """Say what an attempt's failure means. It may hold back the client, before the slot is free for others."""
        rules = call.rules
        rules.spent += seconds
        if isinstance(failure, RequestTimeoutError) and rules.left <= 0.0:
            return rules.deadline_error()
        if is_transient(failure):
            rules.after(failure)
            call.pause = rules.pause_for(failure)
            if call.pause is not None:
                self._pace.pause(call.pause)
        return failure

    async def _key(self, rules: CallRules) -> KeyInUse:
        """Return the key to use; a source that hangs is ended by the deadline."""
        try:
            async with asyncio.timeout(max(rules.left, 0.0)):
                return await self._auth.key()
        except TimeoutError:
            failure = rules.deadline_error()
        raise failure

    async def _once(self, call: Call, used: KeyInUse, left: float) -> RawReply:
        """Put the request on the wire once, with the key, to the one origin that may see it."""
        request, rules = call.request, call.rules
        if not request.address.startswith(self._origin):
            raise ConfigurationError("a request may go to the configured address only")
        if left <= 0.0:
            raise rules.deadline_error()
        session = self._connections.opened() or await self._connections.session()
        rules.sent += 1
        for tally in call.tallies:
            tally.requests += 1
        call.wire_began, call.wire_ended, call.status = time.monotonic(), 0.0, None
        try:
            raw = await self._transport.send(session, request, used.key, left)
        finally:
            call.wire_ended = time.monotonic()
        call.status = raw.status
        for tally in call.tallies:
            tally.bytes += len(raw.body)
        return raw

    async def _retry_scheduled(self, call: Call, wait: float, failure: ConfirmaError) -> None:
        for tally in call.tallies:
            tally.retries += 1
        await self._tell(RetryScheduled(call.request.shown, call.rules.sent, wait, type(failure).__name__))

    async def _tell_ended(self, call: Call, outcome: Answer | ConfirmaError) -> None:
        """Tell the hooks of an attempt that left the wire; the slot is free by now."""
        event = call.ended(outcome)
        if event is not None:
            await self._tell(event)

    async def _replace_key(self, refused: KeyInUse, rules: CallRules) -> ConfirmaError:
        """Have the refused key renewed, within the call's deadline; return what the next step should see."""
        began = time.monotonic()
        try:
            async with asyncio.timeout(rules.left):
                await self._auth.renew(refused)
        except KeyRenewalError as error:
            return error
        except TimeoutError:
            return rules.deadline_error()
        finally:
            rules.spent += time.monotonic() - began
        return rules.replay()

    async def _send_renewal(self, key: Secret, on_the_wire: Callable[[], None]) -> Secret:
        """Put the renew request on the wire once; it is never repeated, since it changes state."""
        self._refuse_closed()
        request = renew_request(self.base_url)
        gate = self._gate()
        await gate.enter(_RENEWAL_RANK)
        try:
            self._refuse_closed()
            session = await self._connections.session()
            self.tally.requests += 1
            on_the_wire()
            raw = await self._transport.send(session, request, key)
        except ClientClosedError:
            raise
        except ConfirmaError as error:
            failure = error
        else:
            self._heed_refused_renewal(raw)
            return read_renewed_key(raw, request, key, self.profile.renew_key_field)
        finally:
            gate.leave()
        if isinstance(failure, ConnectError) or getattr(failure, "phase", "") == "connect":
            raise KeyRenewalError(f"the renewal could not be sent: {failure}")
        raise KeyStateUnknownError(f"the answer to the renewal was lost, the key may be void: {failure}")

    def _heed_refused_renewal(self, raw: RawReply) -> None:
        """Pause the client for a 429 to the renewal, as for any other."""
        if raw.status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = parse_retry_after(raw.headers.get("Retry-After"))
            seconds = self.settings.retry.initial_wait if asked is None else asked
            if seconds <= self.settings.retry.max_retry_after:
                self._pace.pause(seconds)

    def move_on(self, lane: Lane, head: int) -> None:
        """Let what has become the head of a lane go first."""
        self._gate().move_on(lane, head)

    def _gate(self) -> Gate:
        loop = asyncio.get_running_loop()
        gate = self._gates.get(loop)
        if gate is None:
            for ended in [other for other in self._gates if other.is_closed()]:
                del self._gates[ended]
            gate = self._gates[loop] = Gate(self.settings.concurrency, self._pace)
        return gate

    def _refuse_closed(self) -> None:
        if self._closed:
            raise ClientClosedError("the client is closed")

    async def _renewed(self) -> None:
        await self._tell(KeyRenewed())

    async def _tell(self, event: Event) -> None:
        _log.debug("%s", event)
        if self.hooks:
            await notify(self.hooks, event)
