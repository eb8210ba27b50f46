"""Whom to ask, with which key, and how hard."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import attrs
from aiohttp.abc import AbstractResolver, ResolveResult

from ..config import Environment, Secret
from ..errors import ConfigurationError
from . import keys, values

if TYPE_CHECKING:
    from ..client import ConfirmaClient
    from ..events import Hook

SANDBOX_URL = "http://localhost"
"""What targets that the embedded sandbox filled belong to: its port changes from run to run, its invoices do not."""
_NOTHING_IS_SENT = Secret("no-key-needed-for-a-plan")


@attrs.frozen(kw_only=True)
class Access:
    """How a client is to be made; every field was checked."""

    environment: Environment | None
    base_url: str | None
    key: Secret | None
    sandbox: bool
    concurrency: int
    max_rate: float | None

    @classmethod
    def checked(
        cls,
        *,
        environment: str | None,
        base_url: str | None,
        key_file: str | None,
        key_stdin: bool,
        sandbox: bool,
        concurrency: str,
        max_rate: str | None,
        plan: bool,
        own_key: bool = True,
    ) -> Access:
        """Return what the options say; with `plan` a key is optional, since nothing is sent.

        `own_key`: whether the key comes from these options and the environment at all.
        """
        given = {"--environment": environment, "--base-url": base_url, "--key-file": key_file}
        named = [option for option, value in given.items() if value is not None]
        named += ["--key-stdin"] * key_stdin
        if sandbox and named:
            raise ConfigurationError(f"--sandbox asks the embedded sandbox: leave out {' and '.join(named)}")
        if environment is not None and base_url is not None:
            raise ConfigurationError("--base-url replaces --environment: give one of them")
        if key_file is not None and key_stdin:
            raise ConfigurationError("--key-file and --key-stdin exclude each other")
        return cls(
            environment=None if sandbox or base_url is not None else values.environment(environment),
            base_url=None if base_url is None else values.base_url(base_url),
            concurrency=values.whole("--concurrency", concurrency, 1, values.MOST_REQUESTS),
            max_rate=None if max_rate is None else values.decimal("--max-rate", max_rate, values.MOST_REQUESTS),
            sandbox=sandbox,
            key=None if sandbox or not own_key else _key(key_file, stdin=key_stdin, needed=not plan),
        )

    @contextlib.asynccontextmanager
    async def client(self, hooks: Sequence[Hook] = ()) -> AsyncIterator[ConfirmaClient]:
        """Open the client, and the sandbox where it was asked for."""
        from ..client import ConfirmaClient

        if self.sandbox:
            async with self._sandbox_client(hooks) as client:
                yield client
            return
        async with ConfirmaClient(
            self.key,
            environment=self.environment,
            base_url=self.base_url,
            concurrency=self.concurrency,
            max_rate=self.max_rate,
            hooks=hooks,
        ) as client:
            yield client

    @contextlib.asynccontextmanager
    async def _sandbox_client(self, hooks: Sequence[Hook]) -> AsyncIterator[ConfirmaClient]:
        import aiohttp

        from ..client import ConfirmaClient
        from ..sandbox import SandboxServer

        async with SandboxServer(strict=False) as sandbox:
            connector = aiohttp.TCPConnector(limit=0, resolver=_ToSandbox(int(sandbox.url.rpartition(":")[2])))
            async with (
                aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session,
                ConfirmaClient(
                    sandbox.api_key,
                    base_url=SANDBOX_URL,
                    session=session,
                    concurrency=self.concurrency,
                    max_rate=self.max_rate,
                    hooks=hooks,
                ) as client,
            ):
                yield client


def _key(file: str | None, *, stdin: bool, needed: bool) -> Secret:
    if file is not None:
        return keys.from_file(file)
    if stdin:
        return keys.from_stdin()
    return keys.from_environment() if needed else _NOTHING_IS_SENT


class _ToSandbox(AbstractResolver):
    """Leads every name to the sandbox's port on 127.0.0.1."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found: ResolveResult = {
            "hostname": host,
            "host": "127.0.0.1",
            "port": self._port,
            "family": socket.AF_INET,
            "proto": 0,
            "flags": socket.AI_NUMERICHOST,
        }
        return [found]

    async def close(self) -> None:
        """Nothing is open."""
