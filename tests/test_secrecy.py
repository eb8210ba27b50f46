"""The key is never shown: not by logs, reprs, errors, tracebacks with locals, pickles."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import pickle
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from confirma_async import (
    ConfigurationError,
    ConfirmaClient,
    Event,
    KeyRenewalError,
    KeyStateUnknownError,
    RenewingKey,
    RetryPolicy,
    ServiceProfile,
)

from .peers import (
    KEY,
    NEW_KEY,
    NOTHING,
    Answer,
    Call,
    Peer,
    ask,
    body,
    failure,
    head,
    lines_with,
    reply,
    shown,
    then_hang_up,
)
from .peers import row as invoice

TWICE = RetryPolicy(max_attempts=2, initial_wait=0.001)
ECHO = {"X-Request-Id": KEY, "X-Correlation-Id": KEY, "X-Echo": KEY, "Set-Cookie": f"key={KEY}"}
TROUBLE: dict[str, bytes | Answer] = {
    "401": reply(KEY.encode(), 401, ECHO),
    "403": reply(KEY.encode() * 3, 403, ECHO),
    "503": reply(json.dumps({"key": KEY}).encode(), 503, ECHO),
    "redirect": reply(b"", 302, {**ECHO, "Location": f"https://elsewhere.example/?key={KEY}"}),
    "unexpected status": reply(KEY.encode(), 206, ECHO),
    "html": reply(f"<html>{KEY}</html>".encode(), 200, ECHO),
    "broken contract": reply(body(invoice(invoiceNumber=1.5, distributionStatus=KEY)), 200, ECHO),
    "broken timestamp": reply(body(invoice(dates={"createdAt": KEY})), 200, ECHO),
    "too large": reply(KEY.encode() * 5000, 200, ECHO),
    "unknown coding": reply(KEY.encode(), 200, {**ECHO, "Content-Encoding": "br"}),
    "bad gzip": reply(KEY.encode(), 200, {**ECHO, "Content-Encoding": "gzip"}),
    "cut": then_hang_up(head("Content-Length: 900", f"X-Echo: {KEY}") + KEY.encode()),
    "no http": then_hang_up(KEY.encode() + b"\r\n\r\n"),
    "disconnect": then_hang_up(b""),
}


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture(autouse=True)
async def root_logger_and_asyncio_at_their_most_talkative(log: list[str]) -> AsyncIterator[None]:
    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            log.append(self.format(record))

    handler, root = Keep(), logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    yield
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.mark.parametrize("name", TROUBLE)
async def test_no_error_shows_a_key_that_the_server_echoed(name: str, log: list[str]) -> None:
    heard: list[Event] = []
    async with (
        Peer(TROUBLE[name]) as peer,
        peer.client(retry=TWICE, max_response_bytes=50_000, hooks=[heard.append]) as client,
    ):
        error = await failure(client)
    assert lines_with(shown(error), KEY) == []
    assert lines_with(repr(heard), KEY) == []
    assert lines_with("\n".join(log), KEY) == []
    assert heard


async def test_no_log_shows_the_key_of_a_call_that_went_well(log: list[str]) -> None:
    async with Peer(NOTHING) as peer, peer.client() as client:
        await ask(client)
    assert log
    assert lines_with("\n".join(log), KEY) == []


async def test_no_error_that_nobody_waited_for_shows_the_key(log: list[str]) -> None:
    class Source:
        async def get(self) -> str:
            return KEY

        async def renew(self, rejected: str) -> str:
            raise RuntimeError(f"cannot renew {rejected}")

    async with Peer(TROUBLE["401"]) as peer, peer.client() as fixed, peer.client(api_key=Source()) as renewing:
        tasks = [asyncio.create_task(ask(client)) for client in (fixed, renewing) for _ in range(3)]
        await asyncio.wait(tasks)
        del tasks
        gc.collect()
    assert any("never retrieved" in line for line in log)
    assert lines_with("\n".join(log), KEY) == []


async def test_nothing_public_shows_the_key() -> None:
    async with Peer(NOTHING) as peer, peer.client(proxy="http://user:password@127.0.0.1:9") as client:
        paginator = client.distributions.list()
        pages = paginator.pages()
        copy = client.with_options(api_key=NEW_KEY, proxy="http://user:password@127.0.0.1:9")
        seen = [client, copy, client.distributions, paginator, pages, paginator.report, paginator.resume_token]
        await asyncio.gather(*(anext(pages, None) for _ in range(1)), return_exceptions=True)
    shown = " ".join(f"{each!r} {each}" for each in seen)
    assert lines_with(shown, KEY, NEW_KEY, "password") == []


@pytest.mark.parametrize("make", [lambda c: c, lambda c: c.distributions, lambda c: c.distributions.list()])
def test_no_pickle_holds_the_key(make: Callable[[ConfirmaClient], object]) -> None:
    try:
        data = pickle.dumps(make(ConfirmaClient(KEY)))
    except (TypeError, AttributeError, pickle.PicklingError):
        return  # refusing is fine
    assert KEY.encode() not in data


class Trouble:
    """Refuses every key, and answers renewals as told."""

    def __init__(self, renewal: bytes) -> None:
        self.renewal = renewal

    async def __call__(self, call: Call) -> None:
        await call.send(self.renewal if call.path.endswith("/renew") else TROUBLE["401"])  # type: ignore[arg-type]  # bytes


def refuse_to_save(key: str) -> None:
    raise OSError(f"cannot write {key}")


@pytest.mark.parametrize(
    ("renewal", "field", "kind"),
    [
        (reply(json.dumps({"Message": NEW_KEY}).encode(), 200, ECHO), "Message", KeyRenewalError),
        (reply(json.dumps({"Message": NEW_KEY}).encode(), 200, ECHO), "token", KeyStateUnknownError),
        (reply(json.dumps({"Message": f"{NEW_KEY} !"}).encode(), 200, ECHO), "Message", KeyStateUnknownError),
        (reply(NEW_KEY.encode() + KEY.encode(), 200, ECHO), "Message", KeyStateUnknownError),
        (reply(NEW_KEY.encode() + KEY.encode(), 403, ECHO), "Message", KeyRenewalError),
        (reply(NEW_KEY.encode() + KEY.encode(), 500, ECHO), "Message", KeyStateUnknownError),
    ],
)
async def test_no_renewal_shows_either_key(renewal: bytes, field: str, kind: type, log: list[str]) -> None:
    key = RenewingKey(KEY, save=refuse_to_save)
    options: dict[str, Any] = {"api_key": key, "profile": ServiceProfile(renew_key_field=field)}
    async with Peer(Trouble(renewal)) as peer, peer.client(**options) as client:
        error = await failure(client)
    assert type(error) is kind
    told = [text for text in shown(error).splitlines() if "tests/" not in text.split(": ")[0]]
    assert lines_with("\n".join([*told, repr(key), repr(vars(key)), *log]), KEY, NEW_KEY) == []


REFUSED: dict[str, Callable[[], object]] = {
    "a key with a line end": lambda: ConfirmaClient(f"{KEY}\n"),
    "a key with a space": lambda: ConfirmaClient(f"{KEY} "),
    "a key as bytes": lambda: ConfirmaClient(KEY.encode()),  # type: ignore[arg-type]  # the point of the test
    "another argument": lambda: ConfirmaClient(KEY, concurrency=0),
    "another option": lambda: ConfirmaClient("k").with_options(api_key=KEY, concurrency=0),
    "an unknown option": lambda: ConfirmaClient("k").with_options(api_key=KEY, unknown=1),  # type: ignore[call-arg]  # as above
    "an option with a line end": lambda: ConfirmaClient("k").with_options(api_key=f"{KEY}\n"),
    "a renewing key with a line end": lambda: RenewingKey(f"{KEY}\n", save=print),
    "a renewing key without a place": lambda: RenewingKey(KEY, save=None),  # type: ignore[arg-type]  # as above
    "a password of a proxy": lambda: ConfirmaClient("k", proxy=f"http://user:{KEY}@"),
    "a password of a proxy beside": lambda: ConfirmaClient("k", proxy=f"http://user:{KEY}@host:1", concurrency=0),
    "a proxy option": lambda: ConfirmaClient("k").with_options(proxy=f"http://user:{KEY}@"),
    "a proxy option beside": lambda: ConfirmaClient("k").with_options(proxy=f"http://user:{KEY}@host:1", concurrency=0),
    "a password of an address": lambda: ConfirmaClient("k", base_url=f"https://user:{KEY}@host"),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_refused_argument_is_not_shown(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        REFUSED[name]()
    assert lines_with(shown(caught.value), KEY) == []


async def test_a_refused_key_of_the_environment_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFIRMA_API_KEY", f"{KEY}\n")
    with pytest.raises(ConfigurationError) as caught:
        ConfirmaClient()
    assert lines_with(shown(caught.value), KEY) == []
