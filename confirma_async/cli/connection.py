"""Whom to ask, with which key, and how hard."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING

import attrs
from aiohttp.abc import AbstractResolver, ResolveResult

from .._checks import Secret
from ..config import Environment
from ..errors import ConfigurationError
from . import keys, values

if TYPE_CHECKING:
    from ..client import ConfirmaClient
    from ..events import Hook

SANDBOX_URL = "http://localhost"
"""What targets that the embedded sandbox filled belong to: its port changes from run to run, its invoices do not."""
NOTHING_IS_SENT = Secret("no-key-needed-for-a-plan")
"""Stands for a key where a client is made that sends nothing."""


@attrs.frozen(kw_only=True)
class Access:
    """How a client is to be made; every field was checked."""

    environment: Environment | None
    base_url: str | None
    key: Secret | None = None
    key_file: str | None
    key_stdin: bool
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
        accounts: bool = False,
    ) -> Access:
        """Return what the options say; no key is read yet, and without one only plans can be made.

        `accounts`: whether a file names the environments and the keys.
        """
        given = {"--environment": environment, "--base-url": base_url, "--key-file": key_file}
        named = [option for option, value in given.items() if value is not None]
        named += ["--key-stdin"] * key_stdin
        if sandbox and named:
            raise ConfigurationError(f"--sandbox asks the embedded sandbox: leave out {' and '.join(named)}")
        if accounts and (sandbox or environment is not None or key_file is not None or key_stdin):
            raise ConfigurationError(
                "--accounts brings environments and keys: leave out --sandbox and those of one account"
            )
        if environment is not None and base_url is not None:
            raise ConfigurationError("--base-url replaces --environment: give one of them")
        if key_file is not None and key_stdin:
            raise ConfigurationError("--key-file and --key-stdin exclude each other")
        return cls(
            environment=None if sandbox or accounts or base_url is not None else values.environment(environment),
            base_url=None if base_url is None else values.base_url(base_url),
            concurrency=values.whole("--concurrency", concurrency, 1, values.MOST_REQUESTS),
            max_rate=None if max_rate is None else values.decimal("--max-rate", max_rate, values.MOST_REQUESTS),
            sandbox=sandbox,
            key_file=key_file,
            key_stdin=key_stdin,
        )

    def with_key(self) -> Access:
        """Return the same with its key, which may be waited for; outside of a loop, so that Ctrl-C ends that."""
        if self.sandbox:
            return self
        if self.key_file is not None:
            return attrs.evolve(self, key=keys.from_file(self.key_file))
        return attrs.evolve(self, key=keys.from_stdin() if self.key_stdin else keys.from_environment())

    @contextlib.asynccontextmanager
    async def client(self, hooks: Sequence[Hook] = ()) -> AsyncIterator[ConfirmaClient]:
        """Open the client, and the sandbox where it was asked for."""
        from ..client import ConfirmaClient

        if self.sandbox:
            async with self._sandbox_client(hooks) as client:
                yield client
            return
        async with ConfirmaClient(
            NOTHING_IS_SENT if self.key is None else self.key,
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
