"""Faults by script, seen from the wire."""

from __future__ import annotations

import asyncio
import json
import time
import zlib
from collections.abc import AsyncIterator, Callable
from datetime import date

import aiohttp
import pytest

from confirma_async.errors import ConfigurationError
from confirma_async.sandbox import Fault, SandboxRequest, SandboxServer

PATH = "/api/v1/partner/invoice/distribution"
RENEW = "/api/v1/partner/renew"


@pytest.fixture
async def sandbox() -> AsyncIterator[SandboxServer]:
    async with SandboxServer(invoices_per_day=2) as server:
        yield server


async def speak(sandbox: SandboxServer, path: str = PATH) -> bytes:
    """One request on a connection of its own, without a client that tries again by itself."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1]))
    head = f"GET {path} HTTP/1.1\r\nHost: sandbox\r\nX-Api-Key: {sandbox.api_key}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode())
    try:
        return await reader.read()
    finally:
        writer.close()
        await asyncio.wait({asyncio.ensure_future(writer.wait_closed())}, timeout=1)


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def body_of(answer: bytes) -> bytes:
    return answer.split(b"\r\n\r\n", 1)[1]


def promised(answer: bytes) -> int:
    head = answer.split(b"\r\n\r\n", 1)[0].decode().lower()
    return int(head.split("content-length: ")[1].split("\r\n")[0])


def statuses(sandbox: SandboxServer) -> list[int | None]:
    return [request.status for request in sandbox.requests]


async def test_faults_are_taken_in_order_and_then_the_service_is_well() -> None:
    script = [Fault.status(503), Fault.ok(), Fault.status(429, times=2)]
    async with SandboxServer(faults=script) as sandbox:
        assert [status_of(await speak(sandbox)) for _ in range(5)] == [503, 200, 429, 429, 200]
        assert statuses(sandbox) == [503, 200, 429, 429, 200]


async def test_a_script_can_be_continued(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(500))
    sandbox.script(Fault.status(502))
    assert [status_of(await speak(sandbox)) for _ in range(3)] == [500, 502, 200]


async def test_a_fault_waits_for_the_request_it_is_meant_for(sandbox: SandboxServer) -> None:
    def second_page(request: SandboxRequest) -> bool:
        return request.query.get("page") == "2"

    sandbox.script(Fault.status(500, when=second_page), Fault.status(502))
    answers = [await speak(sandbox, f"{PATH}?page={page}") for page in (1, 2, 2)]
    assert [status_of(answer) for answer in answers] == [502, 500, 200]


async def test_a_fault_may_stand_for_good() -> None:
    async with SandboxServer(faults=[Fault.status(503, times=None)]) as sandbox:
        assert [status_of(await speak(sandbox)) for _ in range(3)] == [503] * 3


async def test_a_status_carries_the_advice_and_body_it_was_given(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(429, retry_after=2, headers={"X-Request-Id": "r-1"}, body="no"))
    answer = await speak(sandbox)
    assert b"Retry-After: 2\r\n" in answer
    assert b"X-Request-Id: r-1\r\n" in answer
    assert body_of(answer) == b"no"


async def test_a_status_without_a_body_has_a_json_one(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(503))
    assert json.loads(body_of(await speak(sandbox))) == {"message": "scripted 503"}


async def test_a_204_has_no_body(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(204))
    assert body_of(await speak(sandbox)) == b""


async def test_a_redirect_names_its_target(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.redirect("https://elsewhere.invalid/", 307))
    answer = await speak(sandbox)
    assert status_of(answer) == 307
    assert b"Location: https://elsewhere.invalid/\r\n" in answer


async def test_raw_bytes_come_as_they_are_under_any_type(sandbox: SandboxServer) -> None:
    bomb = zlib.compress(b"0" * 10_000, wbits=31)
    sandbox.script(
        Fault.raw("<html>", content_type="text/html"),
        Fault.raw(bomb, headers={"Content-Encoding": "gzip", "content-type": "application/x-odd"}),
    )
    page, packed = await speak(sandbox), await speak(sandbox)
    assert b"Content-Type: text/html\r\n" in page
    assert body_of(page) == b"<html>"
    assert packed.lower().count(b"content-type: ") == packed.count(b"application/x-odd") == 1
    assert body_of(packed) == bomb


async def test_the_wire_may_carry_anything(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.wire(b"SSH-2.0-nonsense\r\n"))
    assert await speak(sandbox) == b"SSH-2.0-nonsense\r\n"


async def test_a_reset_is_a_reset(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.reset())
    with pytest.raises(ConnectionResetError):
        await speak(sandbox)
    assert statuses(sandbox) == [None]


async def test_a_disconnect_ends_without_a_byte(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.disconnect())
    assert await speak(sandbox) == b""
    assert statuses(sandbox) == [None]


@pytest.mark.parametrize("after", [0, 20, 10**6])
async def test_a_cut_body_is_shorter_than_promised(sandbox: SandboxServer, after: int) -> None:
    whole = body_of(await speak(sandbox))
    sandbox.script(Fault.cut_body(after))
    answer = await speak(sandbox)
    assert body_of(answer) == whole[:after]
    assert promised(answer) > len(body_of(answer))


async def test_a_slow_body_arrives_whole(sandbox: SandboxServer) -> None:
    whole = body_of(await speak(sandbox))
    sandbox.script(Fault.slow_body(0.01, pieces=3))
    started = time.monotonic()
    assert body_of(await speak(sandbox)) == whole
    assert time.monotonic() - started >= 0.015


async def test_a_short_hang_answers_after_all(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.hang(0.01))
    assert status_of(await speak(sandbox)) == 200


async def test_a_hang_ends_when_the_client_leaves(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.hang())
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(speak(sandbox), 0.05)
    async with asyncio.timeout(1):
        while sandbox.in_flight:
            await asyncio.sleep(0.001)
    assert statuses(sandbox) == [None]


@pytest.mark.parametrize("fault", [Fault.hang(), Fault.slow_body(60), Fault.hang(60)])
async def test_closing_does_not_wait_for_a_fault(fault: Fault) -> None:
    async with SandboxServer(faults=[fault]) as sandbox:
        asked = asyncio.ensure_future(speak(sandbox))
        while not sandbox.in_flight:
            await asyncio.sleep(0.001)
        started = time.monotonic()
    await asked
    assert time.monotonic() - started < 0.5


async def test_closing_does_not_wait_for_a_client_that_does_not_read() -> None:
    async with SandboxServer(
        invoices_per_day=1, today=date(2025, 1, 30), mutate=lambda row: {**row, "padding": "x" * 10**6}
    ) as sandbox:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(sandbox.url.rsplit(":", 1)[1]), limit=1024)
        writer.write(f"GET {PATH} HTTP/1.1\r\nHost: x\r\nX-Api-Key: {sandbox.api_key}\r\n\r\n".encode())
        assert await reader.read(1) == b"H"
        started = time.monotonic()
    assert time.monotonic() - started < 0.5
    writer.close()


async def test_a_renewal_can_fail_before_and_after_it_took_effect() -> None:
    faults = [Fault.disconnect(), Fault.reset(late=True), Fault.disconnect(late=True), Fault.cut_body(0)]
    async with SandboxServer(renew_faults=faults) as sandbox:
        renewals: list[int] = []
        for fault in faults:
            if fault.name == "reset":
                with pytest.raises(ConnectionResetError):
                    await speak(sandbox, RENEW)
            else:
                await speak(sandbox, RENEW)
            renewals.append(sandbox.renewals)
        assert renewals == [0, 1, 2, 3]


async def test_a_scripted_status_keeps_the_connection_alive(sandbox: SandboxServer) -> None:
    sandbox.script(Fault.status(503), Fault.ok())
    opened: list[object] = []

    async def note(*args: object) -> None:
        opened.append(args)

    trace = aiohttp.TraceConfig()
    trace.on_connection_create_end.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        for _ in range(2):
            async with http.get(sandbox.url + PATH, headers={"X-Api-Key": sandbox.api_key}) as response:
                await response.read()
    assert len(opened) == 1


@pytest.mark.parametrize(
    "make",
    [
        lambda: Fault.status(199),
        lambda: Fault.status(600),
        lambda: Fault.redirect("/", 200),
        lambda: Fault.cut_body(-1),
        lambda: Fault.slow_body(-1),
        lambda: Fault.slow_body(pieces=0),
        lambda: Fault.hang(float("nan")),
        lambda: Fault.ok(times=0),
        lambda: Fault.ok(when=3),  # type: ignore[arg-type]  # what a user may do
        lambda: Fault.raw(3),  # type: ignore[arg-type]  # what a user may do
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(make: Callable[[], Fault]) -> None:
    with pytest.raises(ConfigurationError):
        make()


def test_only_faults_make_a_script() -> None:
    with pytest.raises(ConfigurationError, match="Fault"):
        SandboxServer().script("503")  # type: ignore[arg-type]  # what a user may do
