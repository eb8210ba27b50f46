"""Several accounts in one run: one file, one target, and no account in the way of another."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from confirma_async import ConfirmaClient
from confirma_async.backfill import BackfillReport, load_report, open_target
from confirma_async.cli.accounts import Account, backfill_accounts, load_accounts
from confirma_async.config import Environment
from confirma_async.errors import AuthenticationError, ConfigurationError
from confirma_async.events import Progress
from confirma_async.reports import Verdict
from confirma_async.sandbox import SandboxServer

JANUARY = date(2025, 1, 1), date(2025, 1, 31)
SECRET = "very-secret-0123456789"


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(3) as server:
        yield server


def written(folder: Path, text: str) -> Path:
    path = folder / "accounts.toml"
    path.write_text(inspect.cleandoc(text), "utf-8")
    return path


def test_a_file_names_each_account_once_with_its_own_settings(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        """
        [[account]]
        name = "north"
        environment = "staging"
        key_env = "KEY_NORTH"
        max_rate = 2.5
        concurrency = 4

        [[account]]
        name = "south"
        base_url = "https://service.example"
        key_file = "south.key"
        """,
    )
    assert load_accounts(path) == (
        Account("north", Environment.STAGING, None, "KEY_NORTH", None, 2.5, 4),
        Account("south", None, "https://service.example", None, tmp_path / "south.key"),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no accounts"),
        ("account = 3", "no accounts"),
        ("[[account]", "this is not TOML .at line 1"),
        ("[[accounts]]\nname = 'a'", "unknown entry 'accounts'"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nrate = 3", "account 1: unknown entry 'rate'"),
        ("[[account]]\nkey_env = 'K'", "account 1: name must be"),
        ("[[account]]\nname = 7\nkey_env = 'K'", "name must be text, not int"),
        ("[[account]]\nname = 'a'", "say where the key is"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nkey_file = 'k'", "one of both"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nenvironment = 'moon'", "unknown environment 'moon'"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nbase_url = 'http://x.example'", "plain http"),
        ("[[account]]\nname='a'\nkey_env='K'\nbase_url='https://x.example'\nenvironment='staging'", "not both"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nmax_rate = 0", "max_rate must be more than 0"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nmax_rate = nan", "max_rate must be"),
        ("[[account]]\nname = 'a'\nkey_env = 'K'\nconcurrency = true", "concurrency must be a whole number"),
        ("[[account]]\nname='a'\nkey_env='K'\n[[account]]\nname='a'\nkey_env='L'", "'a' is there twice"),
    ],
)
def test_a_file_that_is_wrong_is_refused_whole(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        load_accounts(written(tmp_path, text))


@pytest.mark.parametrize(
    "line",
    [f"{name} = '{SECRET}'" for name in ("key", "api_key", "API-KEY", "apikey", "token", "X-Api-Key")]
    + [f"api_key = {SECRET}", f"key_env = '{SECRET}=' ", f'key_file = "a\\n{SECRET}"'],
)
def test_a_key_in_the_file_is_refused_and_never_repeated(tmp_path: Path, line: str) -> None:
    for text in (f"[[account]]\nname = 'a'\nkey_env = 'K'\n{line}", f"[[account]]\nname = 'a'\n{line}", line):
        with pytest.raises(ConfigurationError) as caught:
            load_accounts(written(tmp_path, text))
        assert SECRET not in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_file_that_cannot_be_read_is_told_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.toml", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            load_accounts(path)


def test_a_key_comes_from_its_variable_or_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEY_NORTH", SECRET)
    (tmp_path / "south.key").write_text(f"{SECRET}\n")
    assert Account("north", key_env="KEY_NORTH").key() == SECRET
    assert Account("south", key_file=tmp_path / "south.key").key() == SECRET
    assert SECRET not in repr(Account("north", key_env="KEY_NORTH").key())


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe", b"two words", b"x" * 20_000])
def test_a_key_that_cannot_be_used_names_its_account_only(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / SECRET
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="account 'south': ") as caught:
        Account("south", key_file=file).key()
    assert SECRET not in str(caught.value)


def test_a_variable_that_is_not_set_is_the_failure_of_its_account() -> None:
    with pytest.raises(ConfigurationError, match=r"account 'north': the environment variable .* is not set"):
        Account("north", key_env=SECRET).key()


@pytest.fixture
def three(tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a file with two good accounts around one whose key the service refuses, and one without a key."""
    monkeypatch.setenv("KEY_GOOD", sandbox.api_key)
    monkeypatch.setenv("KEY_BAD", SECRET)
    monkeypatch.delenv("KEY_MISSING", raising=False)
    names = {"north": "KEY_GOOD", "east": "KEY_BAD", "west": "KEY_MISSING", "south": "KEY_GOOD"}
    tables = [
        f'[[account]]\nname = "{name}"\nbase_url = "{sandbox.url}"\nkey_env = "{key}"' for name, key in names.items()
    ]
    return written(tmp_path, "\n".join(tables))


@pytest.mark.parametrize("name", ["x.sqlite", "x.jsonl", "x.parquet"])
async def test_a_bad_key_does_not_stop_the_others(three: Path, tmp_path: Path, name: str) -> None:
    into = tmp_path / name
    outcomes = await backfill_accounts(three, *JANUARY, into=into)
    assert list(outcomes) == ["north", "east", "west", "south"]
    assert isinstance(outcomes["east"], AuthenticationError)
    assert isinstance(outcomes["west"], ConfigurationError)
    assert [stored.account async for stored in open_target(into).records()] == ["north"] * 93 + ["south"] * 93
    for account in ("north", "south"):
        report = outcomes[account]
        assert isinstance(report, BackfillReport)
        assert report.verdict is Verdict.COMPLETE
        assert (await load_report(into, account)).windows == report.windows


async def test_the_next_run_asks_only_what_is_missing(
    three: Path, tmp_path: Path, sandbox: SandboxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    into = tmp_path / "x.sqlite"
    await backfill_accounts(three, *JANUARY, into=into, refresh_days=0)
    asked = len(sandbox.requests)
    monkeypatch.setenv("KEY_BAD", sandbox.api_key)
    outcomes = await backfill_accounts(three, *JANUARY, into=into, refresh_days=0)
    assert isinstance(outcomes["east"], BackfillReport)
    assert len(sandbox.requests) - asked == 2


async def test_every_account_has_a_client_with_its_own_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEY_A", SECRET)
    path = written(
        tmp_path,
        """
        [[account]]
        name = "a"
        environment = "staging"
        key_env = "KEY_A"
        max_rate = 3
        [[account]]
        name = "b"
        base_url = "https://own.example"
        key_env = "KEY_A"
        concurrency = 2
        """,
    )
    made: list[dict[str, object]] = []

    def factory(*_: object, **options: object) -> ConfirmaClient:
        made.append(options)
        raise ConfigurationError("far enough")

    run: dict[str, Any] = {"into": tmp_path / "x.sqlite", "concurrency": 5, "max_rate": 9.0, "client_factory": factory}
    await backfill_accounts(path, *JANUARY, **run)
    assert made == [
        {"environment": Environment.STAGING, "base_url": None, "concurrency": 5, "max_rate": 3.0},
        {"environment": None, "base_url": "https://own.example", "concurrency": 2, "max_rate": 9.0},
    ]
    made.clear()
    await backfill_accounts(path, *JANUARY, base_url="http://127.0.0.1:1/", **run)
    assert {options["base_url"] for options in made} == {"http://127.0.0.1:1"}


async def test_progress_says_whose_it_is(three: Path, tmp_path: Path) -> None:
    told: list[tuple[str, int]] = []

    def progress(account: str, event: Progress) -> None:
        told.append((account, event.windows))

    await backfill_accounts(three, *JANUARY, into=tmp_path / "x.sqlite", progress=progress)
    assert {account for account, _ in told} >= {"north", "south"}
    assert ("south", 2) in told


@pytest.mark.parametrize("wrong", [{"into": "x.doc"}, {"window_days": 0}, {"refresh_days": -1}, {"max_rate": 0.0}])
async def test_what_is_wrong_for_all_is_refused_before_anything_is_sent(
    three: Path, tmp_path: Path, sandbox: SandboxServer, wrong: dict[str, Any]
) -> None:
    options: dict[str, Any] = {"into": tmp_path / "x.sqlite", **wrong}
    with pytest.raises(ConfigurationError):
        await backfill_accounts(three, *JANUARY, **options)
    with pytest.raises(ConfigurationError, match="inverted"):
        await backfill_accounts(three, *reversed(JANUARY), into=tmp_path / "x.sqlite")
    assert sandbox.requests == []


async def test_a_cancelled_run_leaves_no_task_behind(three: Path, tmp_path: Path, sandbox: SandboxServer) -> None:
    before = asyncio.all_tasks()
    run = asyncio.ensure_future(backfill_accounts(three, *JANUARY, into=tmp_path / "x.sqlite"))
    await asyncio.sleep(0.01)
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert {task for task in asyncio.all_tasks() - before if "sandbox" not in repr(task)} == set()
