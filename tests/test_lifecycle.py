"""Any loop, any task; what was opened here is closed here, what was lent stays open."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import textwrap
from collections.abc import Callable

import aiohttp
import pytest

from confirma_async import ClientClosedError, ConfigurationError, ConfirmaClient, RetryPolicy
from confirma_async.sandbox import SandboxServer

from .peers import KEY, NEW_KEY, NOTHING, QUICK, Call, Peer, ask, failure, silence

PREAMBLE = """
import asyncio, gc, logging, os, sys, threading
from confirma_async import ConfirmaClient, ConfirmaError, RetryPolicy

logging.getLogger("asyncio").setLevel(logging.ERROR)  # slow callbacks of a busy machine are no news

EMPTY = b'{"metaData": {"totalCount": 0}, "invoices": []}'
ANSWER = b"HTTP/1.1 200 OK\\r\\nContent-Length: %d\\r\\n\\r\\n%s" % (len(EMPTY), EMPTY)
connections = []

async def serve(ready):
    async def talk(reader, writer):
        connections.append(writer)
        try:
            while True:
                await reader.readuntil(b"\\r\\n\\r\\n")
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    ready.append(server.sockets[0].getsockname()[1])
    await asyncio.Event().wait()

ready = []
threading.Thread(target=lambda: asyncio.run(serve(ready)), daemon=True).start()
while not ready:
    pass
URL = f"http://127.0.0.1:{ready[0]}"

def client(**options):
    return ConfirmaClient("synthetic-key", base_url=URL, **options)

async def ask(client):
    return await client.distributions.list().collect()

def sockets():
    return sum(os.readlink(f"/proc/self/fd/{fd}").startswith("socket") for fd in os.listdir("/proc/self/fd")
               if os.path.exists(f"/proc/self/fd/{fd}")) if os.path.isdir("/proc/self/fd") else 0

def in_a_loop_closed_without_shutdown(coroutine):
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.close()
"""

PROGRAMS = {
    "three runs in a row, then closed": """
        ours = client()
        for _ in range(3):
            assert asyncio.run(ask(ours)) == []
        asyncio.run(ours.aclose())
    """,
    "three runs in a row, never closed": """
        ours = client()
        for _ in range(3):
            assert asyncio.run(ask(ours)) == []
        del ours
    """,
    "made without a loop, used in one": """
        ours = client()
        async def main():
            async with ours:
                await ask(ours)
        asyncio.run(main())
    """,
    "loops closed without shutdown": """
        ours = client()
        for _ in range(3):
            assert in_a_loop_closed_without_shutdown(ask(ours)) == []
        asyncio.run(ours.aclose())
        del ours
    """,
    "a run that ends with calls under way": """
        ours = client()
        async def main():
            tasks = [asyncio.create_task(ask(ours)) for _ in range(5)]
            await asyncio.sleep(0)
        for _ in range(3):
            asyncio.run(main())
        assert asyncio.run(ask(ours)) == []
        asyncio.run(ours.aclose())
    """,
    "an iteration left half way": """
        async def main():
            async with client() as ours:
                async for page in ours.distributions.list().pages():
                    break
                it = aiter(ours.distributions.list())
                await anext(it, None)
        asyncio.run(main())
    """,
    "a paginator left half way outside the client": """
        async def main():
            ours = client()
            it = ours.distributions.list().pages()
            await anext(it, None)
            await ours.aclose()
        asyncio.run(main())
    """,
    "a client that raised": """
        async def main():
            async with client() as ours:
                await ask(ours)
                raise LookupError
        try:
            asyncio.run(main())
        except LookupError:
            pass
    """,
    "several threads with a loop each": """
        ours, found = client(), []
        def run():
            found.append(asyncio.run(ask(ours)))
        threads = [threading.Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [[]] * 4
        asyncio.run(ours.aclose())
    """,
    "uvloop": """
        import uvloop
        ours = client()
        for _ in range(3):
            assert uvloop.run(ask(ours)) == []
        uvloop.run(ours.aclose())
    """,
}


if sys.platform == "win32":
    del PROGRAMS["uvloop"]  # which is not made for it


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_leaves_no_warning_and_no_socket(name: str) -> None:
    program = "\n".join(
        [
            PREAMBLE,
            "before = sockets()",
            textwrap.dedent(PROGRAMS[name]),
            "gc.collect()",
            "left = sockets() - before - sum(not each.transport.is_closing() for each in connections)",
            "assert left <= 0, f'{left} sockets left'",
            "print('clean')",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-X", "dev", "-c", program],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )
    assert (done.stdout, done.stderr, done.returncode) == ("clean\n", "", 0)


async def test_ten_requests_in_turn_use_one_connection() -> None:
    async with Peer(NOTHING) as peer, peer.client() as client:
        for _ in range(10):
            await ask(client)
    assert (len(peer.calls), peer.connections) == (10, 1)


async def test_a_client_may_be_opened_in_one_task_and_used_in_others() -> None:
    async with Peer(NOTHING) as peer:
        opened: asyncio.Queue[ConfirmaClient] = asyncio.Queue()
        done = asyncio.Event()

        async def lifespan() -> None:
            async with peer.client() as client:
                opened.put_nowait(client)
                await done.wait()

        owner = asyncio.create_task(lifespan())
        client = await opened.get()
        assert await asyncio.gather(*(asyncio.create_task(ask(client)) for _ in range(20))) == [[]] * 20
        done.set()
        await owner


async def test_a_lent_session_is_used_and_never_closed() -> None:
    async with Peer(NOTHING) as peer, aiohttp.ClientSession(headers={"X-Mine": "yes"}) as session:
        async with peer.client(session=session) as client:
            assert await ask(client) == []
        assert not session.closed
        assert peer.calls[0].header("x-mine") == "yes"
        assert peer.calls[0].key == KEY


async def test_a_lent_session_that_was_closed_is_a_typed_error() -> None:
    async with Peer(NOTHING) as peer:
        session = aiohttp.ClientSession()
        await session.close()
        async with peer.client(session=session) as client:
            assert isinstance(await failure(client), ClientClosedError)


def test_a_lent_session_is_used_on_its_own_loop_only() -> None:
    async def lend() -> aiohttp.ClientSession:
        return aiohttp.ClientSession()

    async def borrow(session: aiohttp.ClientSession) -> None:
        async with Peer(NOTHING) as peer, peer.client(session=session) as client:
            assert isinstance(await failure(client), ConfigurationError)
        assert peer.calls == []

    with asyncio.Runner() as owner:
        session = owner.run(lend())
        asyncio.run(borrow(session))
        owner.run(session.close())


@pytest.mark.parametrize("option", [{"raise_for_status": True}, {"auto_decompress": True}, {"trust_env": True}])
async def test_settings_of_a_lent_session_change_nothing_that_matters(option: dict[str, bool]) -> None:
    async with (
        SandboxServer(invoices_per_day=1, gzip=True) as sandbox,
        aiohttp.ClientSession(**option) as session,  # type: ignore[arg-type]  # three of its flags
        sandbox.client(session=session) as client,
    ):
        assert len(await ask(client)) == 30


async def test_closing_twice_is_fine() -> None:
    async with Peer(NOTHING) as peer:
        client = peer.client()
        await ask(client)
        await client.aclose()
        await client.aclose()
        async with client:
            pass


async def test_closing_a_client_that_was_never_used_is_fine() -> None:
    await ConfirmaClient(KEY).aclose()


async def test_use_after_closing_is_a_typed_error() -> None:
    async with Peer(NOTHING) as peer:
        client = peer.client()
        await client.aclose()
        assert isinstance(await failure(client), ClientClosedError)
    assert peer.calls == []


async def test_closing_ends_calls_under_way_with_a_typed_error() -> None:
    async with Peer(silence) as peer:
        client = peer.client(concurrency=2)
        calls = [asyncio.create_task(ask(client)) for _ in range(6)]
        while len(peer.calls) < 2:
            await asyncio.sleep(0.001)
        await client.aclose()
        ended = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 10)
    assert {type(each) for each in ended} == {ClientClosedError}


async def test_closing_a_copy_leaves_its_parent_working() -> None:
    async with Peer(NOTHING) as peer, peer.client() as client:
        copy = client.with_options(concurrency=2)
        await ask(copy)
        await copy.aclose()
        assert await ask(client) == []
        assert isinstance(await failure(copy), ClientClosedError)


async def test_closing_the_parent_closes_its_copies() -> None:
    async with Peer(NOTHING) as peer:
        client = peer.client()
        copy = client.with_options(concurrency=2)
        await client.aclose()
        assert isinstance(await failure(copy), ClientClosedError)


async def test_copies_share_connections() -> None:
    async with Peer(NOTHING) as peer, peer.client() as client:
        await ask(client)
        await ask(client.with_options(api_key=NEW_KEY, retry=QUICK))
    assert peer.connections == 1
    assert [call.key for call in peer.calls] == [KEY, NEW_KEY]


CHANGES: dict[str, Callable[[ConfirmaClient, str], ConfirmaClient]] = {
    "nothing": lambda client, _: client.with_options(),
    "the address": lambda client, url: client.with_options(base_url=url),
    "the key": lambda client, _: client.with_options(api_key=NEW_KEY),
    "the attempts": lambda client, _: client.with_options(retry=RetryPolicy(max_attempts=1)),
}


@pytest.mark.parametrize("change", CHANGES)
async def test_a_copy_changes_nothing_in_its_parent(change: str) -> None:
    async def busy(call: Call) -> None:
        await call.send(NOTHING)

    async with Peer(NOTHING) as peer, Peer(busy) as other, peer.client() as client:
        await ask(CHANGES[change](client, other.url))
        await ask(client)
        assert peer.calls[-1].key == KEY
        assert len(other.calls) == (change == "the address")
