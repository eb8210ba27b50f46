"""The sandbox's API keys: which one holds, and how all of them stay out of sight."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from ._journal import KeyState, SandboxRequest

if TYPE_CHECKING:
    from aiohttp import web

MASK = "***"
KEY_HEADER = "X-Api-Key"

_SECRET_HEADERS = {"x-api-key", "authorization", "proxy-authorization", "cookie"}
_SHORTEST_MASKED = 8  # a shorter wrong key is masked in its header only: it would blot out ordinary text


class KeyRing:
    """One current key, synthetic and derived from the seed, and those it replaced."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._retired: list[str] = []
        self._admitted = 0
        self.current = self._issue()

    @property
    def renewals(self) -> int:
        """How often the key was replaced."""
        return len(self._retired)

    def renew(self) -> str:
        """Replace the key."""
        self._retired.append(self.current)
        self.current = self._issue()
        return self.current

    def expired(self, limit: int | None) -> bool:
        """Whether the first key has been admitted that often; None is never."""
        return limit is not None and not self._retired and self._admitted >= limit

    def admit(self) -> None:
        """Count one request that was let in."""
        self._admitted += 1

    def state(self, presented: str | None) -> KeyState:
        """Tell which key that is."""
        if presented is None:
            return "missing"
        if presented == self.current:
            return "current"
        return "retired" if presented in self._retired else "wrong"

    def record(self, request: web.BaseRequest) -> SandboxRequest:
        """Note a request, every key masked."""
        presented = request.headers.get(KEY_HEADER)
        secrets = [self.current, *self._retired]
        if presented is not None and len(presented) >= _SHORTEST_MASKED:
            secrets.append(presented)
        return SandboxRequest(
            method=request.method,
            path=_masked(request.path, secrets),
            query={_masked(name, secrets): _masked(request.query[name], secrets) for name in request.query},
            headers={
                name: MASK if name.lower() in _SECRET_HEADERS else _masked(value, secrets)
                for name, value in request.headers.items()
            },
            key=self.state(presented),
            at=time.monotonic(),
        )

    def _issue(self) -> str:
        digest = hashlib.sha256(f"{self._seed}/{self.renewals}".encode()).hexdigest()
        return f"sandbox-key-{digest[:24]}"


def _masked(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
