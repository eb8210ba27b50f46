"""What goes wrong, by script: each fault is taken by one request, in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypedDict, Unpack

import attrs

from confirma_async.errors import ConfigurationError

from ._acts import Act, Answered, Cut, Dropped, Hung, PassedOn, Slowed, WireBytes
from ._checks import require_callable, require_seconds, require_whole
from ._journal import SandboxRequest
from ._reply import JSON_TYPE, Reply, refusal


class Turn(TypedDict, total=False):
    """Whose turn a fault is; every constructor of `Fault` takes these two.

    `when`: only requests for which it returns true (default: any). `times`: how many requests (default 1;
    None is every one from now on, and then leaving the sandbox does not ask for it to be used up).
    """

    when: Callable[[SandboxRequest], bool] | None
    times: int | None


@attrs.frozen
class Fault:
    """One thing that happens to a request instead of the ordinary answer; made by the methods below."""

    name: str
    act: Act = attrs.field(repr=False)
    when: Callable[[SandboxRequest], bool] | None = attrs.field(default=None, repr=False)
    times: int | None = 1

    def __attrs_post_init__(self) -> None:
        if self.when is not None:
            require_callable("when", self.when)
        if self.times is not None:
            require_whole("times", self.times, 1)

    @classmethod
    def ok(cls, **turn: Unpack[Turn]) -> Fault:
        """The ordinary answer; fills a place in the script."""
        return cls("ok", PassedOn(), **turn)

    @classmethod
    def status(
        cls,
        status: int,
        *,
        retry_after: str | float | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
        **turn: Unpack[Turn],
    ) -> Fault:
        """That status, 200 to 599; without a body, a small JSON object (the vendor's error bodies are unknown)."""
        require_whole("status", status, 200, 599)
        content = refusal(status, f"scripted {status}").body if body is None else _bytes("body", body)
        advice = {} if retry_after is None else {"Retry-After": str(retry_after)}
        reply = Reply(status, content, _headers(JSON_TYPE, {**advice, **(headers or {})}))
        return cls(f"status {status}", Answered(reply), **turn)

    @classmethod
    def redirect(cls, location: str, status: int = 302, **turn: Unpack[Turn]) -> Fault:
        """A redirect to that address, status 300 to 399."""
        require_whole("status", status, 300, 399)
        return cls.status(status, headers={"Location": location}, **turn)

    @classmethod
    def raw(
        cls,
        body: bytes | str,
        *,
        content_type: str = JSON_TYPE,
        headers: Mapping[str, str] | None = None,
        **turn: Unpack[Turn],
    ) -> Fault:
        """A 200 with exactly these bytes as its body; text is sent as UTF-8."""
        reply = Reply(200, _bytes("body", body), _headers(content_type, headers or {}))
        return cls("raw", Answered(reply), **turn)

    @classmethod
    def wire(cls, data: bytes, **turn: Unpack[Turn]) -> Fault:
        """These bytes on the connection instead of an HTTP answer; then it is closed."""
        return cls("wire", WireBytes(_bytes("data", data)), **turn)

    @classmethod
    def reset(cls, *, late: bool = False, **turn: Unpack[Turn]) -> Fault:
        """The connection is reset before any answer; `late`: after the request took effect."""
        return cls("reset", Dropped(reset=True, late=late), **turn)

    @classmethod
    def disconnect(cls, *, late: bool = False, **turn: Unpack[Turn]) -> Fault:
        """The connection is closed before any answer; `late`: after the request took effect."""
        return cls("disconnect", Dropped(reset=False, late=late), **turn)

    @classmethod
    def cut_body(cls, after: int = 20, **turn: Unpack[Turn]) -> Fault:
        """The ordinary answer, closed after that many bytes of its body; its length promises more."""
        require_whole("after", after, 0)
        return cls("cut_body", Cut(after), **turn)

    @classmethod
    def slow_body(cls, seconds: float = 0.05, pieces: int = 5, **turn: Unpack[Turn]) -> Fault:
        """The ordinary answer in that many pieces, with a pause of `seconds` before each one but the first."""
        require_seconds("seconds", seconds)
        require_whole("pieces", pieces, 1)
        return cls("slow_body", Slowed(seconds, pieces), **turn)

    @classmethod
    def hang(cls, seconds: float | None = None, **turn: Unpack[Turn]) -> Fault:
        """No answer for that many seconds, then the ordinary one; None: never, until either side leaves."""
        if seconds is not None:
            require_seconds("seconds", seconds)
        return cls("hang", Hung(seconds), **turn)


class Script:
    """Faults that wait for their requests."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Fault, int | None]] = []

    def add(self, fault: Fault) -> None:
        """Put one at the end."""
        if not isinstance(fault, Fault):
            raise ConfigurationError(f"a script is made of Fault objects, not {fault!r}")
        self._waiting.append((fault, fault.times))

    def take(self, request: SandboxRequest) -> Fault | None:
        """The first one that this request matches, used once; None where there is none."""
        for place, (fault, left) in enumerate(self._waiting):
            if fault.when is None or fault.when(request):
                if left == 1:
                    del self._waiting[place]
                else:
                    self._waiting[place] = (fault, None if left is None else left - 1)
                return fault
        return None

    def unused(self) -> list[Fault]:
        """Those that should have been taken and were not, in full or in part."""
        return [fault for fault, left in self._waiting if left is not None]


def _headers(content_type: str, chosen: Mapping[str, str]) -> Mapping[str, str]:
    """A content type among the chosen headers wins, however it is spelled."""
    if any(name.lower() == "content-type" for name in chosen):
        return chosen
    return {"Content-Type": content_type, **chosen}


def _bytes(name: str, content: bytes | str) -> bytes:
    if isinstance(content, str):
        return content.encode()
    if not isinstance(content, bytes):
        raise ConfigurationError(f"{name} must be bytes or text, not {type(content).__name__}")
    return content
