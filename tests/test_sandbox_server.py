"""The sandbox as a server: keys, books, strictness, start and close."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from confirma_async.sandbox import Fault, SandboxServer

PATH = "/api/v1/partner/invoice/distribution"
VALIDATE = "/api/v1/partner/validate"
RENEW = "/api/v1/partner/renew"
ROOT = Path(__file__).parent.parent


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def ask(
    http: aiohttp.ClientSession, sandbox: SandboxServer, path: str = PATH, key: str | None = None
) -> tuple[int, object]:
    headers = {"X-Api-Key": sandbox.api_key if key is None else key}
    async with http.get(sandbox.url + path, headers=headers) as response:
        return response.status, await response.json()


async def test_the_key_is_synthetic_and_comes_from_the_seed() -> None:
    keys = [SandboxServer(seed=seed).api_key for seed in (1, 1, 2)]
    assert keys[0] == keys[1] != keys[2]
    assert all(key.startswith("sandbox-key-") for key in keys)


@pytest.mark.parametrize("path", [PATH, VALIDATE, RENEW])
async def test_a_missing_or_wrong_key_is_a_401(http: aiohttp.ClientSession, path: str) -> None:
    async with SandboxServer() as sandbox:
        async with http.get(sandbox.url + path) as response:
            assert response.status == 401
            assert await response.json() == {"message": "Unauthorized"}
        assert (await ask(http, sandbox, path, key="another-key"))[0] == 401
        assert [request.key for request in sandbox.requests] == ["missing", "wrong"]
        assert sandbox.renewals == 0


async def test_a_good_key_is_valid(http: aiohttp.ClientSession) -> None:
    async with SandboxServer() as sandbox:
        assert await ask(http, sandbox, VALIDATE) == (200, {"isValid": True, "message": "Token is valid"})


async def test_a_renewed_key_replaces_the_old_one(http: aiohttp.ClientSession) -> None:
    async with SandboxServer() as sandbox:
        old = sandbox.api_key
        assert await ask(http, sandbox, RENEW) == (200, {"Message": sandbox.api_key})
        assert sandbox.api_key != old
        assert sandbox.renewals == 1
        assert [(await ask(http, sandbox, key=key))[0] for key in (old, sandbox.api_key)] == [401, 200]
        assert [request.key for request in sandbox.requests] == ["current", "retired", "current"]


async def test_the_new_key_may_stand_in_another_field(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(renew_field="accessToken") as sandbox:
        assert await ask(http, sandbox, RENEW) == (200, {"accessToken": sandbox.api_key})


async def test_a_key_may_expire_until_it_is_renewed(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(unauthorized_after=2) as sandbox:
        assert [(await ask(http, sandbox))[0] for _ in range(3)] == [200, 200, 401]
        assert (await ask(http, sandbox, VALIDATE))[0] == 401
        assert (await ask(http, sandbox, RENEW))[0] == 200
        assert [(await ask(http, sandbox))[0] for _ in range(3)] == [200, 200, 200]


async def test_requests_are_noted_in_order(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(invoices_per_day=0) as sandbox:
        before = time.monotonic()
        await ask(http, sandbox, f"{PATH}?fromInvDate=2025-01-01&page=2&page=3")
        await ask(http, sandbox, VALIDATE)
        first, second = sandbox.requests
    assert (first.method, first.path, first.status) == ("GET", PATH, 200)
    assert first.query == {"fromInvDate": "2025-01-01", "page": "2"}
    assert second.path == VALIDATE
    assert before <= first.at <= second.at <= time.monotonic()
    with pytest.raises(AttributeError):
        first.status = 500  # type: ignore[misc]  # the point of the test


async def test_only_the_latest_requests_are_remembered(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(keep_requests=2, invoices_per_day=0) as sandbox:
        for page in range(4):
            await ask(http, sandbox, f"{PATH}?page={page}")
        assert [request.query["page"] for request in sandbox.requests] == ["2", "3"]


async def test_no_key_is_shown_wherever_it_was_put(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(strict=False) as sandbox:
        first, foreign = sandbox.api_key, "a-real-key-by-mistake"
        await ask(http, sandbox, RENEW)
        for key in (first, sandbox.api_key, foreign):
            url = f"{sandbox.url}/{key}?{key}={key}"
            headers = {"x-api-key": key, "Authorization": f"Bearer {key}", "X-Other": f"<{key}>"}
            async with http.get(url, headers=headers, cookies={"key": key}) as response:
                assert key not in await response.text()
        shown = repr(sandbox.requests) + repr(sandbox.unexpected) + repr(sandbox)
        assert not [key for key in (first, sandbox.api_key, foreign) if key in shown]
        assert sandbox.requests[-1].headers["X-Other"] == "<***>"
        assert sandbox.requests[-1].headers["x-api-key"] == "***"


async def test_a_short_wrong_key_does_not_blot_out_ordinary_text(http: aiohttp.ClientSession) -> None:
    async with SandboxServer() as sandbox:
        await ask(http, sandbox, key="i")
        assert sandbox.requests[0].path == PATH
        assert sandbox.requests[0].headers["X-Api-Key"] == "***"


async def test_requests_in_flight_are_counted(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(latency=0.02) as sandbox:
        await asyncio.gather(*(ask(http, sandbox) for _ in range(7)))
        assert (sandbox.in_flight, sandbox.max_in_flight) == (0, 7)


async def test_latency_comes_before_the_answer(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(latency=0.03) as sandbox:
        started = time.monotonic()
        await ask(http, sandbox)
        assert time.monotonic() - started >= 0.03


async def test_an_unknown_path_is_answered_loudly_and_fails_the_test(http: aiohttp.ClientSession) -> None:
    sandbox, answers = SandboxServer(), list[object]()
    with pytest.raises(AssertionError, match="unexpected GET /api/v2/nothing"):
        async with sandbox:
            answers.append(await ask(http, sandbox, "/api/v2/nothing"))
    assert answers[0] == (404, {"message": "SandboxServer: no such endpoint: GET /api/v2/nothing"})
    assert [request.path for request in sandbox.unexpected] == ["/api/v2/nothing"]


async def test_another_method_is_unexpected_too(http: aiohttp.ClientSession) -> None:
    with pytest.raises(AssertionError, match=f"unexpected POST {PATH}"):
        async with SandboxServer() as sandbox, http.post(sandbox.url + PATH) as response:
            assert response.status == 405


async def test_a_fault_that_never_happened_fails_the_test(http: aiohttp.ClientSession) -> None:
    with pytest.raises(AssertionError, match=r"unused.*status 503"):
        async with SandboxServer(faults=[Fault.status(503, times=2)]) as sandbox:
            await ask(http, sandbox)


async def test_a_failure_that_is_already_passing_is_not_replaced() -> None:
    with pytest.raises(KeyError):
        async with SandboxServer(faults=[Fault.status(503)]):
            raise KeyError


async def test_without_strict_nothing_is_complained_of(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(strict=False, faults=[Fault.status(503)]) as sandbox:
        assert (await ask(http, sandbox, "/nothing"))[0] == 404


async def test_a_function_of_the_user_that_fails_is_told(http: aiohttp.ClientSession) -> None:
    def broken(row: dict[str, object]) -> dict[str, object]:
        raise LookupError(row["invoiceNumber"])

    sandbox = SandboxServer(mutate=broken)
    with pytest.raises(AssertionError, match="LookupError"):
        async with sandbox, http.get(sandbox.url + PATH, headers={"X-Api-Key": sandbox.api_key}) as response:
            assert response.status == 500
    assert sandbox.requests[0].status == 500


async def test_a_sandbox_is_on_loopback_and_has_no_address_before_it_starts() -> None:
    sandbox = SandboxServer()
    assert repr(sandbox) == "<SandboxServer not started>"
    with pytest.raises(RuntimeError, match="not been started"):
        _ = sandbox.url
    await sandbox.start()
    assert sandbox.url.startswith("http://127.0.0.1:")
    assert repr(sandbox) == f"<SandboxServer {sandbox.url}>"
    await sandbox.aclose()
    await sandbox.aclose()


async def test_a_sandbox_starts_once() -> None:
    async with SandboxServer() as sandbox:
        with pytest.raises(RuntimeError, match="once"):
            await sandbox.start()


async def test_a_sandbox_that_never_started_can_be_closed() -> None:
    await SandboxServer().aclose()


async def test_a_chosen_port_is_used_and_a_taken_one_is_an_error() -> None:
    async with SandboxServer() as first:
        port = int(first.url.rsplit(":", 1)[1])
        with pytest.raises(OSError, match=r"address already in use|only one usage"):
            await SandboxServer(port=port).start()
    async with SandboxServer(port=port) as second:
        assert second.url.endswith(f":{port}")


async def test_after_closing_nobody_listens_and_no_task_is_left(http: aiohttp.ClientSession) -> None:
    before = asyncio.all_tasks()
    async with SandboxServer() as sandbox:
        await ask(http, sandbox)
    with pytest.raises(aiohttp.ClientConnectorError):
        await ask(http, sandbox)
    assert asyncio.all_tasks() <= before


async def test_closing_with_an_idle_connection_open_is_prompt(http: aiohttp.ClientSession) -> None:
    async with SandboxServer() as sandbox:
        await ask(http, sandbox)
        started = time.monotonic()
    assert time.monotonic() - started < 0.5


def test_a_sandbox_serves_from_a_process_of_its_own() -> None:
    program = (
        "import asyncio, sys\n"
        "from confirma_async.sandbox import SandboxServer\n"
        "async def serve():\n"
        "    async with SandboxServer(invoices_per_day=3) as sandbox:\n"
        "        print(sandbox.url, sandbox.api_key, flush=True)\n"
        "        await asyncio.to_thread(sys.stdin.read)\n"
        "asyncio.run(serve())\n"
    )
    command = [sys.executable, "-W", "error", "-X", "dev", "-c", program]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    with process:
        assert process.stdout is not None
        url, key = process.stdout.readline().split()
        answer = asyncio.run(_ask_once(url, key))
        _, complaints = process.communicate()
    assert answer["metaData"]["totalCount"] == 90
    assert (process.returncode, complaints) == (0, "")


async def _ask_once(url: str, key: str) -> dict[str, Any]:
    async with aiohttp.ClientSession() as http, http.get(url + PATH, headers={"X-Api-Key": key}) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def test_its_client_reads_it_and_waits_milliseconds() -> None:
    faults = [Fault.status(503), Fault.status(503)]
    async with SandboxServer(invoices_per_day=2, faults=faults) as sandbox:
        started = time.monotonic()
        async with sandbox.client() as client:
            found = await client.distributions.list(date(2025, 1, 1), date(2025, 1, 3)).collect()
        assert len(found) == 6
        assert [request.status for request in sandbox.requests] == [503, 503, 200]
        assert time.monotonic() - started < 1


async def test_options_of_its_client_replace_its_own(http: aiohttp.ClientSession) -> None:
    async with SandboxServer(invoices_per_day=1) as sandbox:
        async with sandbox.client(session=http, api_key="some-other-key") as client:
            with pytest.raises(Exception, match="401") as failed:
                await client.distributions.list(date(2025, 1, 1), date(2025, 1, 1)).collect()
        assert type(failed.value).__name__ == "AuthenticationError"
        assert sandbox.requests[0].key == "wrong"
