"""What cannot work is refused before anything is sent, in one line that does not show the key."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest

from confirma_async import (
    ConfigurationError,
    ConfirmaClient,
    Environment,
    Paging,
    RetryPolicy,
    ServiceProfile,
    Timeouts,
)

from .peers import KEY, NOTHING, Anything, Peer, ask

NAN, INF, HUGE = float("nan"), float("inf"), 10**400


def client(**options: Anything) -> ConfirmaClient:
    return ConfirmaClient(**{"api_key": KEY, **options})


BAD_CLIENTS: dict[str, Any] = {
    "api_key": ["", " ", "two words", "line\n", "ключ", "a\0b", "k" * 5000, b"bytes", 7, object()],
    "environment": ["", "prod", "production ", 7, b"staging", []],
    "base_url": [
        "", "x", "//x", "ftp://x.example", "https://", "https://?x", "https://x.example?a=b", "https://x.example#a",
        "https://user:pw@x.example", "https://x.example:0", "https://x.example:70000", "https://x.example:port",
        "https://x y.example", "https://x.example\n", "https://a..b", "https://" + "a" * 64 + ".example", "https://..",
        "https://[::1", "https://ex\u00e4mple", "https://x.example\\@evil.example", 7, b"https://x.example",
    ],
    "retry": [5, "none", {}, Timeouts()],
    "timeouts": [30, 30.0, (5, 30), RetryPolicy()],
    "concurrency": [0, -1, 1.0, "8", True, None],
    "max_rate": [0, -1, NAN, INF, -INF, HUGE, "5", True],
    "max_response_bytes": [0, -1, 1.5, "64", True, None],
    "paging": ["auto", {}, 1],
    "profile": ["default", {}, 1],
    "proxy": ["", "proxy", "proxy:3128", "socks5://x:1", "http://", "http://x:port", "http://x:0", 7, "http://a b"],
    "ssl_context": [True, False, "off", ssl.CERT_NONE, ssl._create_unverified_context()],
    "hooks": [None, 5, [5], ["text"], "text", [object()]],
    "session": [5, "session", object()],
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in BAD_CLIENTS.items() for value in values],
    ids=lambda each: ascii(each)[:30],
)
def test_an_argument_that_cannot_work_is_refused(name: str, value: Anything) -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(**{name: value})
    assert str(caught.value)
    assert "\n" not in str(caught.value)
    assert KEY not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (name, value)
        for name, values in BAD_CLIENTS.items()
        for value in values
        if name != "session" and value is not None
    ],
    ids=lambda each: ascii(each)[:30],
)
def test_a_copy_refuses_the_same(name: str, value: Anything) -> None:
    with pytest.raises(ConfigurationError):
        client().with_options(**{name: value})


def test_an_unknown_option_of_a_copy_is_named() -> None:
    with pytest.raises(ConfigurationError, match="speed"):
        client().with_options(speed=1)  # type: ignore[call-arg]  # the point of the test


SECONDS = [0, -1, NAN, INF, HUGE, "1", None, True]
BAD_SETTINGS: list[tuple[Callable[..., object], str, list[Any]]] = [
    (Timeouts, "connect", SECONDS),
    (Timeouts, "read", SECONDS),
    (Timeouts, "total", SECONDS),
    (RetryPolicy, "deadline", SECONDS),
    (RetryPolicy, "initial_wait", SECONDS[1:]),
    (RetryPolicy, "max_wait", SECONDS[1:]),
    (RetryPolicy, "max_retry_after", SECONDS[1:]),
    (RetryPolicy, "max_attempts", [0, -1, 1.5, "1", True, None, INF]),
    (RetryPolicy, "budget", [0, -1, 1.5, "1", True, None]),
    (Paging, "mode", ["numbers", "", None, 1]),
    (Paging.numbered, "page", ["", " ", None, 1, "a\nb", "pageSize"]),
    (Paging.numbered, "size", ["", None, 1, "page"]),
    (Paging.numbered, "per_page", [0, -1, 1.5, "100", None, True]),
    (Paging.numbered, "first", [-1, 1.5, "1", None, True]),
    (ServiceProfile, "from_name", ["", None, 1, "a\nb", "toInvDate"]),
    (ServiceProfile, "to_name", ["", None, 1, "fromInvDate"]),
    (ServiceProfile, "invoice_number_name", ["", None, "toInvDate"]),
    (ServiceProfile, "fetch_type_name", ["", None, "invoiceNumber"]),
    (ServiceProfile, "page_name", ["", None, 1]),
    (ServiceProfile, "end_inclusive", [1, 0, "yes", None]),
    (ServiceProfile, "time_zone", ["", None, 1]),
    (ServiceProfile, "renew_key_field", ["", None, 1]),
    (ServiceProfile, "unique_by", ["case_id", "", 1, True]),
]


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [(make, name, value) for make, name, values in BAD_SETTINGS for value in values],
    ids=lambda each: getattr(each, "__qualname__", ascii(each)[:30]),
)
def test_a_setting_that_cannot_work_is_refused(make: Callable[..., object], name: str, value: Anything) -> None:
    with pytest.raises(ConfigurationError) as caught:
        make(**{name: value})
    assert "\n" not in str(caught.value)


BAD_QUESTIONS: list[dict[str, Any]] = [
    {"from_date": "2025-01-01"},
    {"from_date": datetime(2025, 1, 1)},
    {"from_date": date(2025, 1, 2), "to_date": date(2025, 1, 1)},
    {"from_date": date(2025, 1, 1), "to_date": datetime(2025, 1, 2)},
    {"from_date": date(2025, 1, 1), "to_date": "20250102"},
    {"from_date": 20250101},
    {"to_date": date(2025, 1, 1)},
    {"from_date": date(9999, 1, 1)},
    {"window_days": 0},
    {"window_days": -30},
    {"window_days": 1.5},
    {"window_days": True},
    {"window_days": "30"},
    {"max_items": -1},
    {"max_items": 1.0},
    {"max_items": True},
    {"ordered": None},
    {"ordered": 1},
    {"completeness": "maybe"},
    {"completeness": None},
    {"on_invalid": "skip"},
    {"invoice_number": 7},
    {"invoice_number": ""},
    {"invoice_number": " "},
    {"invoice_number": "a\nb"},
    {"invoice_number": "\ud800"},
    {"fetch_type": 7},
    {"fetch_type": ""},
    {"params": [("a", "b")]},
    {"params": "a=b"},
    {"params": {"a": 1}},
    {"params": {"a": None}},
    {"params": {1: "a"}},
    {"params": {"": "a"}},
    {"params": {"a": "\ud800"}},
    {"params": {"\ud800": "a"}},
    {"params": {"fromInvDate": "2025-01-01"}},
    {"params": {"invoiceNumber": "7"}},
    {"resume_token": ""},
    {"resume_token": 7},
    {"resume_token": "made up"},
    {"resume_token": "e30="},
]


@pytest.mark.parametrize("arguments", BAD_QUESTIONS, ids=lambda each: ascii(each)[:50])
async def test_a_question_that_cannot_be_asked_is_refused_before_anything_is_sent(arguments: dict[str, Any]) -> None:
    async with Peer(NOTHING) as peer, peer.client() as ours:
        with pytest.raises(ConfigurationError) as caught:
            ours.distributions.list(**arguments)
    assert peer.calls == []
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("number", [None, 7, "", " ", "\ud800", ["7"]])
async def test_a_lookup_without_a_number_is_refused_before_anything_is_sent(number: Anything) -> None:
    async with Peer(NOTHING) as peer, peer.client() as ours:
        with pytest.raises(ConfigurationError):
            await ours.distributions.get(number)
    assert peer.calls == []


def test_the_key_and_the_environment_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_API_KEY", KEY)
    monkeypatch.setenv("CONFIRMA_ENVIRONMENT", "staging")
    assert repr(ConfirmaClient()) == "<ConfirmaClient of https://staging-integrations.confirmafinance.com>"


async def test_the_key_of_the_environment_is_the_one_that_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_API_KEY", KEY)
    async with Peer(NOTHING) as peer, peer.client(api_key=None) as ours:
        await ask(ours)
    assert peer.calls[0].key == KEY


def test_production_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFIRMA_ENVIRONMENT", raising=False)
    assert repr(client()) == "<ConfirmaClient of https://integrations.confirmafinance.com>"


@pytest.mark.parametrize("key", [None, "", "two words"])
def test_a_missing_or_bad_key_of_the_environment_is_refused(key: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if key is None:
        monkeypatch.delenv("CONFIRMA_API_KEY", raising=False)
    else:
        monkeypatch.setenv("CONFIRMA_API_KEY", key)
    with pytest.raises(ConfigurationError):
        ConfirmaClient()


def test_a_bad_name_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_ENVIRONMENT", "prod")
    with pytest.raises(ConfigurationError, match="prod"):
        client()


@pytest.mark.parametrize("given", ["staging", "STAGING", Environment.STAGING])
def test_an_environment_goes_by_its_name(given: Anything) -> None:
    assert "staging" in repr(client(environment=given))


@pytest.mark.parametrize("slashes", ["", "/", "//", "/api-gateway", "/api-gateway/"])
async def test_an_address_may_end_in_slashes_or_a_path(slashes: str) -> None:
    async with Peer(NOTHING) as peer, peer.client(base_url="http://127.0.0.1:1") as ours:
        await ask(ours.with_options(base_url=peer.url + slashes))
    path = slashes.rstrip("/")
    assert peer.calls[0].path == f"{path}/api/v1/partner/invoice/distribution"


def test_a_failed_client_can_still_be_shown() -> None:
    with pytest.raises(ConfigurationError) as caught:
        client(concurrency=0)
    trace = caught.value.__traceback__
    while trace is not None:
        assert all(repr(value) for value in trace.tb_frame.f_locals.values())
        trace = trace.tb_next


def test_a_client_needs_no_running_loop() -> None:
    ours = client()
    assert "confirmafinance" in repr(ours)
    asyncio.run(ours.aclose())


def test_every_belief_tells_its_evidence() -> None:
    assert all(ServiceProfile().evidence(name) for name in ("from_name", "end_inclusive", "time_zone", "unique_by"))


def test_an_unknown_time_zone_is_refused_when_today_is_needed() -> None:
    with pytest.raises(ConfigurationError, match="Nowhere"):
        client(profile=ServiceProfile(time_zone="Nowhere/City")).distributions.list(date(2025, 1, 1))
