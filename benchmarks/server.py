"""A server that costs next to nothing, in its own process: `python -m benchmarks.server --job JSON`.

It prints its port on the first line and runs until its standard input ends. It answers the
distribution endpoint as the service's page says (echo of the filters, total of the whole window, pages
numbered from 1) and refuses loudly whatever is not part of the job, so a contender that asks for
something else fails instead of being fast. `/-/stats` tells what was asked since `/-/reset`.

Its loop waits with `select`, whose timeout counts in microseconds: `epoll`, the default, counts in whole
milliseconds and rounds up, so every answer with a latency would come half a millisecond late or more.
"""

import argparse
import asyncio
import json
import selectors
import sys
import time
from urllib.parse import parse_qsl, urlsplit

from benchmarks.bodies import PAGES_KEPT, Pages
from benchmarks.jobs import PATH, Job

HEAD = b"HTTP/1.1 %d %b\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
FILTERS = {"fromInvDate", "toInvDate", "page", "pageSize"}


class Traffic:
    """What reached the server since the last reset."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Start counting anew."""
        self.requests = 0
        self.in_flight = 0
        self.max_in_flight = 0
        self._late = 0.0
        self._cpu = time.process_time()

    def arrived(self) -> None:
        """One request came in whole."""
        self.requests += 1
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)

    def answered(self, late: float) -> None:
        """One answer was written, `late` seconds after its latency was over."""
        self.in_flight -= 1
        self._late += late

    def to_json(self) -> bytes:
        """The counters as the runner reads them."""
        facts = {
            "requests": self.requests,
            "max_in_flight": self.max_in_flight,
            "server_cpu": time.process_time() - self._cpu,
            "server_late": self._late / max(1, self.requests),
        }
        return json.dumps(facts).encode()


class Service:
    """Turns a request target into a status and a body."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.pages = Pages(job)
        self.traffic = Traffic()
        self._known: dict[bytes, tuple[int, int]] = {}

    def answer(self, target: bytes) -> tuple[int, bytes, bool]:
        """Status, body, and whether this was the endpoint (and so has its latency)."""
        if target.startswith(b"/-/"):
            return self._control(target)
        where = self._known.get(target)
        if where is None:
            where = self._parse(target.decode("ascii"))
            if where is None:
                return 400, b'{"message":"not part of this job"}', True
            if len(self._known) < PAGES_KEPT:
                self._known[target] = where
        return 200, self.pages.body(*where), True

    def _control(self, target: bytes) -> tuple[int, bytes, bool]:
        if target == b"/-/reset":
            self.traffic.reset()
        return 200, self.traffic.to_json(), False

    def _parse(self, target: str) -> tuple[int, int] | None:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if parts.path != PATH or not query.keys() <= FILTERS:
            return None
        if query.get("pageSize", str(self.job.page_size)) != str(self.job.page_size):
            return None
        page = query.get("page", "1")
        window = self.pages.window(query.get("fromInvDate", ""), query.get("toInvDate", ""))
        if window is None or not page.isdecimal() or int(page) < 1:
            return None
        return window, int(page)


class Connection(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, for GET without a body."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._loop = asyncio.get_running_loop()
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is whole by now."""
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            request, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
            self._serve(request)

    def _serve(self, request: bytes) -> None:
        line, _, headers = request.partition(b"\r\n")
        target = line.split(b" ", 2)[1]
        status, body, counted = self._service.answer(target)
        if counted and b"x-api-key:" not in headers.lower():
            status, body = 401, b'{"message":"no key"}'
        answer = HEAD % (status, b"OK" if status == 200 else b"Refused", len(body)) + body
        if not counted:
            self._transport.write(answer)
            return
        self._service.traffic.arrived()
        if self._service.job.latency:
            due = self._loop.time() + self._service.job.latency
            self._loop.call_at(due, self._write, answer, due)
        else:
            self._write(answer)

    def _write(self, answer: bytes, due: float | None = None) -> None:
        self._service.traffic.answered(0.0 if due is None else self._loop.time() - due)
        if not self._transport.is_closing():
            self._transport.write(answer)


async def serve(job: Job) -> None:
    """Serve on a free port of 127.0.0.1 until standard input ends."""
    service = Service(job)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(service), "127.0.0.1", 0, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await loop.run_in_executor(None, sys.stdin.read)


def main() -> None:
    """Read the job from the command line and serve it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", required=True, type=Job.from_json)
    with asyncio.Runner(loop_factory=_precise_loop) as runner:
        runner.run(serve(parser.parse_args().job))


def _precise_loop() -> asyncio.AbstractEventLoop:
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


if __name__ == "__main__":
    main()
