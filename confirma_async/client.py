"""The client: composes, contains no rule."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, TypeVar, Unpack

import aiohttp
import attrs

from ._auth import KeySource, RenewingKey
from ._checks import (
    Secret,
    key_from_environment,
    masked,
    require_base_url,
    require_count,
    require_key,
    require_number,
    require_proxy,
)
from .config import DEFAULT_MAX_RESPONSE_BYTES, Environment, Paging, RetryPolicy, ServiceProfile, Timeouts
from .distributions import DEFAULT_WINDOW_DAYS, Distributions
from .errors import ConfigurationError
from .events import EventHook, Hook, Progress
from .session import SessionManager, Settings

if TYPE_CHECKING:
    from .backfill import BackfillPlan, BackfillReport, Into

_C = TypeVar("_C")


class Options(TypedDict, total=False):
    """What `with_options` can change; see `ConfirmaClient`."""

    api_key: str | KeySource | None
    environment: Environment | str | None
    base_url: str | None
    retry: RetryPolicy
    timeouts: Timeouts
    concurrency: int
    max_rate: float | None
    max_response_bytes: int
    paging: Paging
    profile: ServiceProfile
    proxy: str | None
    ssl_context: ssl.SSLContext | None
    hooks: Iterable[Hook]


class ConfirmaClient:
    """The Confirma Finance Integrations API, asynchronously.

    `api_key`: a string or a key source; None reads ``CONFIRMA_API_KEY``. `environment`: an `Environment` or
    its name; None reads ``CONFIRMA_ENVIRONMENT`` and defaults to production. `base_url` replaces both: https,
    or http on loopback. `session`: an aiohttp session of yours; it is used on its own loop only and never
    closed, its cookies, proxies, TLS and default headers are yours, and its own middlewares do not run.
    `concurrency`: requests in flight at most. `max_rate`: requests per second at most, with a burst of one
    second's worth; None is no limit. `max_response_bytes`: of one answer, decoded. `proxy`: the address of
    an HTTP proxy; those of the environment are ignored. `ssl_context`: must verify certificates. `hooks` are
    told of every event.

    Made without a running loop, used from any task and in successive `asyncio.run` calls. Raises
    `ConfigurationError` for anything that cannot work, before anything is sent.
    """

    def __init__(
        self,
        api_key: str | KeySource | None = None,
        *,
        environment: Environment | str | None = None,
        base_url: str | None = None,
        session: aiohttp.ClientSession | None = None,
        retry: RetryPolicy | None = None,
        timeouts: Timeouts | None = None,
        concurrency: int = 8,
        max_rate: float | None = None,
        max_response_bytes: int = DEFAULT_MAX_RESPONSE_BYTES,
        paging: Paging | None = None,
        profile: ServiceProfile | None = None,
        proxy: str | None = None,
        ssl_context: ssl.SSLContext | None = None,
        hooks: Iterable[Hook] = (),
    ) -> None:
        # Masked before anything can fail: the variables of this frame may be shown.
        hidden_key, hidden_url, hidden_proxy = masked(api_key), masked(base_url), masked(proxy)
        api_key = base_url = proxy = None
        source = _source(hidden_key)
        if session is not None:
            _require_kind("session", session, aiohttp.ClientSession)
        settings = _settings(
            base_url=Environment.named(environment).value if hidden_url is None else hidden_url,
            retry=RetryPolicy() if retry is None else retry,
            timeouts=Timeouts() if timeouts is None else timeouts,
            concurrency=concurrency,
            max_rate=max_rate,
            max_response_bytes=max_response_bytes,
            paging=Paging.auto() if paging is None else paging,
            profile=ServiceProfile() if profile is None else profile,
            proxy=hidden_proxy,
            ssl_context=ssl_context,
        )
        self._source = source
        self._environment = None if hidden_url is not None else Environment.named(environment).name.lower()
        self._session = SessionManager(settings, source, session=session, hooks=_hooks(hooks))

    def __repr__(self) -> str:
        session = getattr(self, "_session", None)  # missing while arguments are being refused
        return "<ConfirmaClient>" if session is None else f"<ConfirmaClient of {session.base_url}>"

    @property
    def distributions(self) -> Distributions:
        """Invoice distribution records."""
        return Distributions(self._session)

    def with_options(self, **changes: Unpack[Options]) -> ConfirmaClient:
        """Return a changed copy that shares connections; closing it leaves this client working."""
        given: dict[str, object] = {name: masked(value) for name, value in changes.items()}
        unknown = given.keys() - Options.__annotations__.keys()
        changes = {}
        if unknown:
            raise ConfigurationError(f"unknown options: {', '.join(sorted(unknown))}")
        source = _source(given.pop("api_key")) if "api_key" in given else self._source
        hooks = _hooks(given.pop("hooks", self._session.hooks))
        environment, base_url = given.pop("environment", None), given.pop("base_url", None)
        copy = ConfirmaClient.__new__(ConfirmaClient)
        copy._environment = self._environment
        if base_url is not None:
            given["base_url"], copy._environment = base_url, None
        elif environment is not None:
            named = Environment.named(environment)
            given["base_url"], copy._environment = named.value, named.name.lower()
        elsewhere = given.get("base_url", self._session.base_url) != self._session.base_url
        if elsewhere and source is self._source and isinstance(source, RenewingKey):
            raise ConfigurationError("a renewing key belongs to one address: give the copy an api_key of its own")
        kept = {name: getattr(self._session.settings, name) for name in attrs.fields_dict(Settings)}
        copy._source = source
        copy._session = self._session.copy(_settings(**(kept | given)), source, hooks)
        return copy

    async def backfill(
        self,
        from_date: date,
        to_date: date,
        *,
        into: Into,
        window_days: int = DEFAULT_WINDOW_DAYS,
        fetch_type: str | None = None,
        refresh_days: int = 30,
        account: str | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> BackfillReport:
        """Read a range into a target that survives anything; run again, it goes on where it stopped.

        `into`: a path (``.jsonl``, ``.sqlite``, ``.db``, ``.parquet``), a database address, or a sink of
        yours. `refresh_days`: a later run reads windows again that ended within so many days before they
        were read, since delivery results arrive late; 0 for pure history. `account`: a label that keeps the
        records of several accounts apart in one target.
        """
        from .backfill.entry import backfill  # importing the package must stay cheap

        return await backfill(
            self._session,
            from_date,
            to_date,
            into=into,
            window_days=window_days,
            fetch_type=fetch_type,
            refresh_days=refresh_days,
            account=account,
            environment=self._environment,
            progress=progress,
        )

    async def plan(
        self,
        from_date: date,
        to_date: date,
        *,
        into: Into | None = None,
        window_days: int = DEFAULT_WINDOW_DAYS,
        fetch_type: str | None = None,
        refresh_days: int = 30,
        account: str | None = None,
    ) -> BackfillPlan:
        """Return what `backfill` with the same arguments would ask; nothing is sent."""
        from .backfill.entry import plan  # as above

        return await plan(
            self._session,
            from_date,
            to_date,
            into=into,
            window_days=window_days,
            fetch_type=fetch_type,
            refresh_days=refresh_days,
            account=account,
            environment=self._environment,
        )

    async def aclose(self) -> None:
        """Close the connections that this client opened; a second call does nothing."""
        await self._session.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()


def _source(api_key: object) -> Secret | KeySource:
    if api_key is None:
        return key_from_environment()
    if not isinstance(api_key, str | type) and isinstance(api_key, KeySource):
        return api_key
    return require_key(api_key)


def _settings(**given: object) -> Settings:
    require_count("concurrency", given["concurrency"])
    require_count("max_response_bytes", given["max_response_bytes"])
    if given["max_rate"] is not None:
        given["max_rate"] = require_number("max_rate", given["max_rate"])
    given["base_url"] = require_base_url(given["base_url"])
    if given["proxy"] is not None:
        given["proxy"] = require_proxy(given["proxy"])
    for name, kind in (("retry", RetryPolicy), ("timeouts", Timeouts), ("paging", Paging), ("profile", ServiceProfile)):
        _require_kind(name, given[name], kind)
    context = given["ssl_context"]
    if context is not None:
        verified = _require_kind("ssl_context", context, ssl.SSLContext)
        if verified.verify_mode is not ssl.CERT_REQUIRED or not verified.check_hostname:
            raise ConfigurationError("ssl_context must verify certificates and host names")
    return Settings(**given)  # type: ignore[arg-type]  # each was checked above


def _require_kind(name: str, value: object, kind: type[_C]) -> _C:
    if not isinstance(value, kind):
        raise ConfigurationError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
    return value


def _hooks(hooks: object) -> tuple[Hook, ...]:
    if not isinstance(hooks, Iterable):
        raise ConfigurationError("hooks must be a list of hooks")
    kept = tuple(hooks)
    for hook in kept:
        if not callable(hook) and not isinstance(hook, EventHook):
            raise ConfigurationError("a hook is a callable, or an object with on_event(event)")
    return kept
