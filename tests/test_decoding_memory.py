"""A small answer that stands for a huge one costs little memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import asyncio, zlib

from confirma_async import ConfirmaClient, ResponseTooLargeError

def peak():
    # What getrusage tells includes the process that this one was forked from.
    with open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM:"))

def bomb():
    packer, zeros = zlib.compressobj(9, wbits=31), b" " * (1 << 20)
    return b"".join([*(packer.compress(zeros) for _ in range(1024)), packer.flush()])

async def main():
    content = bomb()
    answer = b"HTTP/1.1 200 OK\\r\\nContent-Encoding: gzip\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(content)

    async def talk(reader, writer):
        await reader.readuntil(b"\\r\\n\\r\\n")
        writer.write(answer + content)

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    url = "http://127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    async with ConfirmaClient("synthetic-key", base_url=url) as client:
        try:
            await client.distributions.list().collect()
        except ResponseTooLargeError as error:
            assert error.limit == 64 * 1024 * 1024
            print("refused", peak())

asyncio.run(main())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak is read from /proc")
def test_a_gigabyte_in_disguise_is_refused_within_200_mib() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=50, check=True)
    word, peak = done.stdout.split()
    unit = 1024 if sys.platform != "darwin" else 1
    assert word == "refused"
    assert int(peak) * unit < 200 * 1024 * 1024
