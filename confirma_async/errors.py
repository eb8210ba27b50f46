"""Everything that can go wrong, as one tree.

::

    ConfirmaError                     every failure of this package
    ├── ConfigurationError            (a ValueError) refused before anything was sent
    ├── TransportError                no usable answer came back
    │   ├── ConnectError              no connection: name, address, TLS
    │   ├── RequestTimeoutError       one of `Timeouts` ran out
    │   ├── TruncatedResponseError    the answer ended before its end
    │   └── ProtocolError             an answer that HTTP or this API does not allow
    │       └── ResponseTooLargeError more bytes than the caller allowed
    ├── ApiStatusError                the service answered with an error status
    │   ├── RedirectError 3xx         never followed: the key belongs to one origin
    │   ├── BadRequestError 400
    │   ├── AuthenticationError 401
    │   ├── PermissionDeniedError 403
    │   ├── NotFoundError 404         also: a lookup whose searched range is known and empty
    │   ├── RateLimitError 429
    │   └── ServerError 5xx
    ├── ResponseDecodeError           a 200 whose body is not what the contract says
    ├── DataIntegrityError            a well-formed answer that contradicts itself or the question
    │   ├── FilterNotAppliedError     the answer belongs to another question
    │   ├── IncompleteResultError     less came than was promised
    │   └── PagingError               the pages do not follow the declared paging
    ├── DeadlineExceededError         `RetryPolicy.deadline` ended the call
    ├── ClientClosedError             used after `aclose()`
    ├── KeyRenewalError               no usable key
    │   └── KeyStateUnknownError      the old key may be void and the new one is not known
    ├── TargetError                   a backfill's target cannot be written or read
    └── CheckpointError               a backfill's checkpoint cannot be used

All of them can be pickled and copied, and none carries the API key or an exception of the HTTP library.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .windows import DateWindow


class ConfirmaError(Exception):
    """Base of every failure of this package."""

    window: DateWindow | None = None
    """The window that was being read, where there was one."""
    resume_token: str | None = None
    """Hand this to `list(..., resume_token=)` to go on after the last record that was delivered."""
    attempts: int | None = None
    """Requests of this call that reached the wire, counted from 1."""
    elapsed: float | None = None
    """Seconds from the call's first slot to the failure."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)

    @property
    def message(self) -> str:
        """What happened, in one line, without the window."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        return self.message if self.window is None else f"{self.message} [window {self.window}]"


class ConfigurationError(ConfirmaError, ValueError):
    """An argument, setting or environment variable was refused before anything was sent."""


class TransportError(ConfirmaError):
    """No usable answer came back."""


class ConnectError(TransportError):
    """No connection could be made; `retryable` is False where the certificate was refused."""

    def __init__(self, message: str = "", *, retryable: bool = True) -> None:
        super().__init__(message)
        self.retryable = retryable


class RequestTimeoutError(TransportError):
    """One attempt took too long; `phase` is ``"connect"``, ``"read"`` or ``"total"``."""

    def __init__(self, message: str = "", *, phase: str = "total") -> None:
        super().__init__(message)
        self.phase = phase


class TruncatedResponseError(TransportError):
    """The connection ended, or the compressed stream did, before the answer was whole."""


class ProtocolError(TransportError):
    """The answer breaks HTTP, or is a 2xx that this API does not define."""


class ResponseTooLargeError(ProtocolError):
    """The answer holds more than `max_response_bytes` (decoded); `limit` is that bound in bytes."""

    def __init__(self, message: str = "", *, limit: int = 0) -> None:
        super().__init__(message)
        self.limit = limit


class ApiStatusError(ConfirmaError):
    """The service answered with an error status.

    `status`: the HTTP status. `body`: the start of the body as printable text with the key cut out,
    never part of `str(error)`. `request_id`: the first of ``X-Request-Id``, ``X-Correlation-Id``,
    ``Request-Id`` (the service documents none). `url`: without invoice numbers. `retry_after`: seconds
    the server asked to wait, or None where it said nothing usable.
    """

    def __init__(
        self,
        message: str = "",
        *,
        status: int = 0,
        body: str = "",
        request_id: str | None = None,
        method: str = "GET",
        url: str = "",
        attempts: int | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = body
        self.request_id = request_id
        self.method = method
        self.url = url
        self.attempts = attempts
        self.retry_after = retry_after


class RedirectError(ApiStatusError):
    """3xx: redirects are never followed, since the key belongs to one origin."""


class BadRequestError(ApiStatusError):
    """400."""


class AuthenticationError(ApiStatusError):
    """401: the key is missing, invalid or expired, or was refused again after its renewal."""


class PermissionDeniedError(ApiStatusError):
    """403."""


class NotFoundError(ApiStatusError):
    """404, or a lookup that found nothing in a range that is known to have been searched."""


class RateLimitError(ApiStatusError):
    """429."""


class ServerError(ApiStatusError):
    """5xx."""


class ResponseDecodeError(ConfirmaError):
    """A 200 whose body is not what the contract says.

    `path` names the place, such as ``invoices[37].dates.createdAt``, never the value. `excerpt` is the
    printable start of the body, present only when the body is not JSON at all.
    """

    def __init__(self, message: str = "", *, path: str = "", excerpt: str = "") -> None:
        super().__init__(message)
        self.path = path
        self.excerpt = excerpt


class DataIntegrityError(ConfirmaError):
    """A well-formed answer that contradicts itself, its neighbours or the question."""


class FilterNotAppliedError(DataIntegrityError):
    """The answer belongs to another question; `field` is the wire name of the filter."""

    def __init__(self, message: str = "", *, field: str = "") -> None:
        super().__init__(message)
        self.field = field


class IncompleteResultError(DataIntegrityError):
    """Less came than was promised; `expected` and `received` count rows (None: not known)."""

    def __init__(
        self,
        message: str = "",
        *,
        window: DateWindow | None = None,
        expected: int | None = None,
        received: int | None = None,
    ) -> None:
        super().__init__(message)
        self.window = window
        self.expected = expected
        self.received = received


class PagingError(DataIntegrityError):
    """The pages do not follow the paging that was declared or detected."""


class DeadlineExceededError(ConfirmaError):
    """`RetryPolicy.deadline` ended the call.

    `deadline` in seconds; `last_failure` is the last attempt's failure in words (empty when the first
    attempt was still running); `retry_after` is what the server last asked for, in seconds.
    """

    def __init__(
        self,
        message: str = "",
        *,
        deadline: float = 0.0,
        last_failure: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.deadline = deadline
        self.last_failure = last_failure
        self.retry_after = retry_after


class ClientClosedError(ConfirmaError):
    """The client was used after `aclose()`."""


class KeyRenewalError(ConfirmaError):
    """The key source gave no usable key."""


class KeyStateUnknownError(KeyRenewalError):
    """A renewal was sent and its answer is lost: the old key may be void, the new one is not known."""


class TargetError(ConfirmaError):
    """A backfill's target cannot be written or read."""


class CheckpointError(ConfirmaError):
    """A backfill's checkpoint is corrupt, foreign, newer than this release, or held by another process."""


_BY_STATUS: dict[int, type[ApiStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    429: RateLimitError,
}


def error_class_for(status: int) -> type[ApiStatusError]:
    """Return the class that stands for an HTTP status from 300 upwards."""
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return RedirectError
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServerError
    return _BY_STATUS.get(status, ApiStatusError)
