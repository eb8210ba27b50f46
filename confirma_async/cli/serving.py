"""`confirma sandbox`: the embedded sandbox as a server of its own."""

from __future__ import annotations

import asyncio
from typing import Literal, cast

import attrs

from ..errors import ConfigurationError
from . import values
from .process import DONE, FAILED, INTERRUPTED, run_async
from .voice import Voice, show, show_json

_HIGHEST_PORT = 65_535
_MOST_ROWS = 1_000_000
_LONGEST_LATENCY = 600.0
_HIGHEST_SEED = 10**17
_PAGING = ("none", "number", "cut")


@attrs.frozen(kw_only=True)
class Serve:
    """One sandbox, checked."""

    voice: Voice
    port: int
    invoices_per_day: int
    paging: Literal["none", "number", "cut"]
    page_size: int
    latency: float
    seed: int

    @classmethod
    def checked(
        cls, voice: Voice, *, port: str, invoices_per_day: str, paging: str, page_size: str, latency: str, seed: str
    ) -> Serve:
        """Return what the options say."""
        if paging not in _PAGING:
            raise ConfigurationError(f"--paging must be one of {', '.join(_PAGING)}")
        return cls(
            voice=voice,
            port=values.whole("--port", port, 0, _HIGHEST_PORT),
            invoices_per_day=values.whole("--invoices-per-day", invoices_per_day, 0, _MOST_ROWS),
            paging=cast('Literal["none", "number", "cut"]', paging),
            page_size=values.whole("--page-size", page_size, 1, _MOST_ROWS),
            latency=values.decimal("--latency", latency, _LONGEST_LATENCY, zero=True),
            seed=values.whole("--seed", seed, 0, _HIGHEST_SEED),
        )

    def run(self) -> int:
        """Serve until Ctrl-C or SIGTERM: to be ended so is no failure, the exit code is 0."""
        code = run_async(self._serve)
        return DONE if code == INTERRUPTED else code

    async def _serve(self) -> int:
        from ..sandbox import SandboxServer

        sandbox = SandboxServer(
            self.invoices_per_day,
            self.paging,
            self.page_size,
            self.latency,
            self.seed,
            port=self.port,
            strict=False,
            keep_requests=0,
        )
        try:
            await sandbox.start()
        except OSError as fault:
            self.voice.fail(f"port {self.port} cannot be used: {fault.strerror}")
            return FAILED
        try:
            self._introduce(sandbox.url, sandbox.api_key)
            await asyncio.Event().wait()
        finally:
            await sandbox.aclose()
        return DONE

    def _introduce(self, url: str, key: str) -> None:
        if self.voice.json:
            show_json({"url": url, "api_key": key})
            return
        show(
            f"the sandbox answers on {url} until Ctrl-C\n"
            f"its key (synthetic): {key}\n\n"
            "try it:\n"
            f"  CONFIRMA_API_KEY={key} confirma fetch --base-url {url} --from 2025-01-01 --to 2025-03-31"
        )
