"""Several accounts in one run and one target.

The file, by default ``accounts.toml``, holds one table per account and never a key::

    [[account]]
    name = "north"                      # the column `account` of the target
    environment = "staging"             # or base_url = "https://..."; neither: as for a client
    key_env = "CONFIRMA_KEY_NORTH"      # or key_file = "north.key", beside this file unless absolute
    max_rate = 2.0                      # optional: requests per second
    concurrency = 4                     # optional: requests in flight

A file that is wrong in any way is refused whole, before anything is sent. A key that is missing, unreadable or
refused by the service is the failure of its account alone.
"""

from __future__ import annotations

import asyncio
import os
import tomllib
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeAlias

import attrs

from .._checks import Secret, require_base_url, require_count, require_key, require_number, require_text
from ..backfill import BackfillReport, Sink, shared
from ..backfill.targets import target_for
from ..client import ConfirmaClient
from ..config import Environment
from ..errors import ConfigurationError, ConfirmaError
from ..events import Progress
from ..windows import require_days, require_range

AT_ONCE = 16
"""Accounts that are read at the same time; the others wait for their turn."""

_LONGEST_NAME = 200
_LARGEST_FILE = 1_000_000
_LARGEST_KEY = 10_000
_KNOWN = frozenset({"name", "environment", "base_url", "key_env", "key_file", "max_rate", "concurrency"})
_LITERAL = frozenset({"key", "apikey", "xapikey", "token", "secret", "password", "accesstoken"})


@attrs.frozen
class Account:
    """One creditor: its label, where it lives, and where its key is; the key itself is read by `key`.

    `base_url` replaces `environment`. Of `key_env` and `key_file` exactly one is set. `max_rate`, requests per
    second, and `concurrency`, requests in flight, are None where the run's own hold.
    """

    name: str
    environment: Environment | None = None
    base_url: str | None = None
    key_env: str | None = None
    key_file: Path | None = None
    max_rate: float | None = None
    concurrency: int | None = None

    def key(self) -> Secret:
        """Return the key; raises `ConfigurationError`, which names the account and shows nothing else."""
        try:
            return require_key(self._read())
        except ConfigurationError as refused:
            problem = refused.message
        raise ConfigurationError(f"account {self.name!r}: {problem}")

    def _read(self) -> str:
        if self.key_file is None:
            value = os.environ.get(self.key_env or "")
            if not value:
                raise ConfigurationError("the environment variable that key_env names is not set")
            return value
        try:
            if self.key_file.exists() and not self.key_file.is_file():  # opening a FIFO could wait for ever
                raise ConfigurationError("the file that key_file names is not an ordinary file")
            with self.key_file.open("rb") as file:
                return file.read(_LARGEST_KEY).decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            problem = "it is not text"
        except OSError as fault:
            problem = fault.strerror or type(fault).__name__
        raise ConfigurationError(f"the file that key_file names cannot be read: {problem}")


OnAccountProgress: TypeAlias = Callable[[str, Progress], None]
"""Told the account's name and how far it is."""

ClientFactory: TypeAlias = Callable[..., ConfirmaClient]
"""Makes a client from the arguments of `ConfirmaClient`."""

Outcome: TypeAlias = BackfillReport | ConfirmaError


def load_accounts(path: str | os.PathLike[str]) -> tuple[Account, ...]:
    """Return the accounts of a file, in its order; no key is read.

    Raises `ConfigurationError` for a file that cannot be read, is no TOML or holds no account, an unknown or
    wrong entry, a name given twice, and a key written into the file, which the message never repeats.
    """
    place = Path(path)
    document = _document(place)
    if unknown := sorted(document.keys() - {"account"}):
        _refuse_literal_keys(f"{place}", document)
        raise ConfigurationError(f"{place}: unknown entry {unknown[0]!r}: accounts are tables named [[account]]")
    tables = document.get("account")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(f"{place}: no accounts: begin each with a line [[account]]")
    accounts = tuple(_account(place, number, table) for number, table in enumerate(tables, 1))
    names = [account.name for account in accounts]
    if twice := [name for number, name in enumerate(names) if name in names[:number]]:
        raise ConfigurationError(f"{place}: account {twice[0]!r} is there twice: give each a name of its own")
    return accounts


def _document(place: Path) -> Mapping[str, object]:
    try:
        with place.open("rb") as file:
            text = file.read(_LARGEST_FILE + 1)
        if len(text) <= _LARGEST_FILE:
            return tomllib.loads(text.decode("utf-8-sig"))
        problem = f"larger than {_LARGEST_FILE:,} bytes: this is no list of accounts"
    except tomllib.TOMLDecodeError as fault:
        where = str(fault).rpartition("(")[2].rstrip(")")  # the rest of the message may quote the file
        problem = f"this is not TOML ({where})" if where.startswith("at ") else "this is not TOML"
    except UnicodeDecodeError:
        problem = "this is not UTF-8 text"
    except (OSError, ValueError) as fault:
        problem = f"cannot be read: {getattr(fault, 'strerror', None) or type(fault).__name__}"
    except RecursionError:
        problem = "this is not TOML: it is nested too deeply"
    raise ConfigurationError(f"{place}: {problem}")


def _account(place: Path, number: int, table: Mapping[str, object]) -> Account:
    where = f"{place}: account {number}"
    _refuse_literal_keys(where, table)
    if unknown := sorted(table.keys() - _KNOWN):
        known = ", ".join(sorted(_KNOWN))
        raise ConfigurationError(f"{where}: unknown entry {unknown[0]!r}: known are {known}")
    try:
        return _checked(place, table)
    except ConfigurationError as refused:
        problem = refused.message
    raise ConfigurationError(f"{where}: {problem}")


def _checked(place: Path, table: Mapping[str, object]) -> Account:
    name = require_text("name", table.get("name", ""))
    if len(name) > _LONGEST_NAME:
        raise ConfigurationError(f"name must be at most {_LONGEST_NAME} characters long")
    if "environment" in table and "base_url" in table:
        raise ConfigurationError("give environment or base_url, not both")
    if ("key_env" in table) == ("key_file" in table):
        raise ConfigurationError("say where the key is: key_env (a variable's name) or key_file (a path), one of both")
    sources = {source: _source(source, table[source]) for source in ("key_env", "key_file") if source in table}
    file = sources.get("key_file")
    return Account(
        name=name,
        environment=_environment(table["environment"]) if "environment" in table else None,
        base_url=require_base_url(table["base_url"]) if "base_url" in table else None,
        key_env=sources.get("key_env"),
        key_file=None if file is None else place.parent / Path(file).expanduser(),
        max_rate=require_number("max_rate", table["max_rate"]) if "max_rate" in table else None,
        concurrency=require_count("concurrency", table["concurrency"]) if "concurrency" in table else None,
    )


def _environment(value: object) -> Environment:
    return Environment.named(require_text("environment", value))


def _source(name: str, value: object) -> str:
    """Return where a key is; the message repeats nothing, since it may be the key itself."""
    source = require_text(name, value)
    if name == "key_env" and ("=" in source or not source.isascii()):
        raise ConfigurationError("key_env must be the name of an environment variable")
    return source


def _refuse_literal_keys(where: str, table: Mapping[str, object]) -> None:
    for name in table:
        if "".join(filter(str.isalnum, name.lower())) in _LITERAL:
            raise ConfigurationError(f"{where}: a key does not belong in this file: use key_env or key_file")


async def backfill_accounts(
    path: str | os.PathLike[str],
    from_date: date,
    to_date: date,
    *,
    into: str | Path | Sink,
    window_days: int = 30,
    fetch_type: str | None = None,
    refresh_days: int = 30,
    concurrency: int = 8,
    max_rate: float | None = None,
    base_url: str | None = None,
    progress: OnAccountProgress | None = None,
    client_factory: ClientFactory = ConfirmaClient,
) -> dict[str, Outcome]:
    """Run one backfill per account of a file, at the same time and into one target; return how each ended.

    Every account has a client, and so a rate, a retry budget and connections, and a checkpoint of its own, and
    ends with its report or the error that stopped it, in the order of the file. `concurrency` and `max_rate`
    hold for each account that does not say otherwise; `base_url` replaces those of all. Raises
    `ConfigurationError` before anything is sent for what is wrong for every account: the file, the dates, the
    target.
    """
    accounts = load_accounts(path)
    require_range(from_date, to_date)
    require_days("window_days", window_days)
    require_days("refresh_days", refresh_days, minimum=0)
    require_count("concurrency", concurrency)
    if max_rate is not None:
        require_number("max_rate", max_rate)
    if base_url is not None:
        base_url = require_base_url(base_url)
    target_for(into)
    job = _Job(
        from_date=from_date,
        to_date=to_date,
        into=into,
        window_days=window_days,
        fetch_type=fetch_type,
        refresh_days=refresh_days,
        concurrency=concurrency,
        max_rate=max_rate,
        base_url=base_url,
        progress=progress,
        client_factory=client_factory,
        turns=asyncio.Semaphore(AT_ONCE),
    )
    outcomes = await _together([job.outcome_of(account) for account in accounts])
    return {account.name: outcome for account, outcome in zip(accounts, outcomes, strict=True)}


@attrs.frozen(kw_only=True)
class _Job:
    """What all accounts have in common."""

    from_date: date
    to_date: date
    into: str | Path | Sink
    window_days: int
    fetch_type: str | None
    refresh_days: int
    concurrency: int
    max_rate: float | None
    base_url: str | None
    progress: OnAccountProgress | None
    client_factory: ClientFactory
    turns: asyncio.Semaphore

    async def outcome_of(self, account: Account) -> Outcome:
        """Return the report of one account, or the error that stopped it."""
        async with self.turns:
            try:
                async with self._client(account) as client:
                    return await self._backfill(client, account.name)
            except ConfirmaError as failure:
                return failure

    def _client(self, account: Account) -> ConfirmaClient:
        return self.client_factory(
            account.key(),
            environment=account.environment,
            base_url=self.base_url or account.base_url,
            concurrency=account.concurrency or self.concurrency,
            max_rate=self.max_rate if account.max_rate is None else account.max_rate,
        )

    async def _backfill(self, client: ConfirmaClient, account: str) -> BackfillReport:
        return await client.backfill(
            self.from_date,
            self.to_date,
            into=shared(self.into),
            window_days=self.window_days,
            fetch_type=self.fetch_type,
            refresh_days=self.refresh_days,
            account=account,
            progress=None if self.progress is None else partial(self.progress, account),
        )


async def _together(work: Sequence[Coroutine[None, None, Outcome]]) -> list[Outcome]:
    """Run everything at the same time; what is no failure of one account, a cancellation too, ends them all."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
