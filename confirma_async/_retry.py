"""What is tried again, when, and for how long: the rules of one call, driven by tenacity."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from .config import RetryPolicy
from .errors import (
    ApiStatusError,
    ConfirmaError,
    ConnectError,
    DeadlineExceededError,
    RateLimitError,
    RequestTimeoutError,
    TruncatedResponseError,
)

if TYPE_CHECKING:
    from tenacity import RetryCallState

_T = TypeVar("_T")
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
_REFILL_PER_SUCCESS = 0.2
_SECONDS_TO_REFILL = 60.0


class KeyReplacedError(ConfirmaError):
    """Inside a call only: the key was refused and renewed, so the request is worth sending once more."""


def is_transient(error: BaseException) -> bool:
    """Tell whether the same request may well succeed if it is sent again."""
    if isinstance(error, ApiStatusError):
        return error.status in TRANSIENT_STATUSES
    if isinstance(error, ConnectError):
        return error.retryable
    return isinstance(error, RequestTimeoutError | TruncatedResponseError | KeyReplacedError)


class RetryBudget:
    """Retries that a client can still afford: it keeps an outage from multiplying traffic."""

    def __init__(self, capacity: int) -> None:
        self._capacity = self._left = float(capacity)
        self._filled = time.monotonic()

    def spend(self) -> bool:
        """Take one retry; False when none is left."""
        now = time.monotonic()
        self._refill((now - self._filled) * self._capacity / _SECONDS_TO_REFILL)
        self._filled = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True

    def succeed(self) -> None:
        """Give back a fifth of a retry."""
        self._refill(_REFILL_PER_SUCCESS)

    def _refill(self, amount: float) -> None:
        self._left = min(self._capacity, self._left + amount)


class CallRules:
    """The state of one call: what was sent, what time was spent, how long to wait before the next attempt.

    `spent`: seconds of attempts and sleeps; waiting for a slot, for the rate or for a pause that another
    call began is not in it.
    """

    def __init__(self, policy: RetryPolicy, budget: RetryBudget) -> None:
        self.policy, self._budget = policy, budget
        self.sent = 0
        self.replayed = False
        self.spent = 0.0
        self.started: float | None = None
        self._wait = 0.0
        self._failed: ConfirmaError | None = None
        self._out_of_time = False

    @property
    def left(self) -> float:
        """Seconds until the deadline."""
        return self.policy.deadline - self.spent

    def replay(self) -> KeyReplacedError:
        """Return what makes the next attempt follow at once, with another key."""
        self.replayed, self._wait = True, 0.0
        return KeyReplacedError("the key was renewed")

    def after(self, failure: ConfirmaError) -> None:
        """Decide how long to wait before the next attempt."""
        self._failed = failure
        counted = self.sent - self.replayed
        ceiling = min(self.policy.max_wait, self.policy.initial_wait * 2 ** min(counted - 1, 60))
        self._wait = random.uniform(0.0, ceiling)  # noqa: S311  # full jitter, no secret
        asked = getattr(failure, "retry_after", None)
        if asked is not None:
            self._wait = asked + min(self._wait, self.policy.initial_wait)

    def pause_for(self, failure: ConfirmaError) -> float | None:
        """Return the seconds for which a 429 holds back the whole client; None where it does not."""
        if not isinstance(failure, RateLimitError):
            return None
        asked = self._wait if failure.retry_after is None else failure.retry_after
        return None if asked > self.policy.max_retry_after else asked

    async def repeat(
        self,
        failed: ConfirmaError,
        attempt: Callable[[], Awaitable[_T]],
        before_sleep: Callable[[float, ConfirmaError], Awaitable[None]],
    ) -> _T:
        """After a first attempt that failed transiently, make more until one succeeds, or raise what ends the call."""
        first = [failed]

        from tenacity import AsyncRetrying, retry_if_exception  # a process whose calls all succeed needs none of it

        async def again() -> _T:
            """Show tenacity the attempt that failed before it was called: most calls never need it."""
            if first:
                raise first.pop()
            return await attempt()

        async def tell(state: RetryCallState) -> None:
            await before_sleep(self._wait, _failure(state))

        # A new controller for every call: one that is shared mixes up the states of concurrent calls.
        return await AsyncRetrying(
            retry=retry_if_exception(is_transient),
            wait=lambda _: self._wait,
            stop=self._stop,
            sleep=self._sleep,
            before_sleep=tell,
            retry_error_callback=self._give_up,
        )(again)

    def _stop(self, state: RetryCallState) -> bool:
        failure = _failure(state)
        if isinstance(failure, KeyReplacedError):
            return False
        if self.sent - self.replayed >= self.policy.max_attempts:
            return True
        if (getattr(failure, "retry_after", None) or 0.0) > self.policy.max_retry_after:
            return True
        if self._wait >= self.left:
            self._out_of_time = True
            return True
        return not self._budget.spend()

    def _give_up(self, state: RetryCallState) -> None:
        failure = _failure(state)
        raise self.deadline_error() if self._out_of_time else failure

    def deadline_error(self) -> DeadlineExceededError:
        """Return the error of a call that ran out of time."""
        failure = self._failed
        last = "" if failure is None else str(failure)
        tail = f"; the last attempt: {last}" if last else ""
        error = DeadlineExceededError(
            f"no answer within the deadline of {self.policy.deadline:g} s ({self.sent} sent){tail}",
            deadline=self.policy.deadline,
            last_failure=last,
            retry_after=getattr(failure, "retry_after", None),
        )
        self.stamp(error)
        return error

    def stamp(self, failure: ConfirmaError) -> None:
        """Write on the error how many requests were sent and how long the call took."""
        failure.attempts = self.sent
        failure.elapsed = 0.0 if self.started is None else time.monotonic() - self.started

    async def _sleep(self, seconds: float) -> None:
        if seconds > 0.0:
            began = time.monotonic()
            await asyncio.sleep(seconds)
            self.spent += time.monotonic() - began


def _failure(state: RetryCallState) -> ConfirmaError:
    error = state.outcome.exception() if state.outcome is not None else None
    assert isinstance(error, ConfirmaError)  # noqa: S101  # `is_transient` lets nothing else through
    return error
