"""A 200 is believed only as far as it can be read, and everything else about it is a typed error."""

from __future__ import annotations

import gzip
import zlib

import pytest

from confirma_async import (
    ConfirmaError,
    ProtocolError,
    ResponseDecodeError,
    ResponseTooLargeError,
    RetryPolicy,
    TruncatedResponseError,
)

from .peers import NOTHING, Answer, Peer, Script, ask, body, chain, failure, failure_of, head, reply, row, then_hang_up

ONCE = RetryPolicy(max_attempts=1)
CONTENT = body(row(), row(invoiceNumber=8))


def coded(content: bytes, coding: str) -> bytes:
    return reply(content, headers={"Content-Encoding": coding, "Content-Type": "application/json"})


def bare_deflate(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(content) + packer.flush()


async def numbers(answer: bytes | Answer) -> list[str | None]:
    async with Peer(answer) as peer, peer.client(retry=ONCE) as client:
        return [record.invoice_number for record in await ask(client)]


NOT_JSON = {
    "empty": b"",
    "blank": b"  \r\n",
    "html": b"<!doctype html><title>Sign in</title>",
    "cut json": CONTENT[:-1],
    "cut in a string": CONTENT[:40],
    "two values": CONTENT + CONTENT,
    "something behind": CONTENT + b";",
    "not a number": b'{"metaData": {"totalCount": NaN}, "invoices": []}',
    "infinity": b'{"metaData": null, "invoices": [], "x": -Infinity}',
    "beyond a double": b'{"metaData": null, "invoices": [], "x": 1e400}',
    "leading zero": b'{"metaData": {"totalCount": 00}, "invoices": []}',
    "single quotes": b"{'invoices': []}",
    "trailing comma": b'{"invoices": [],}',
    "lone surrogate": b'{"metaData": null, "invoices": [], "x": "\\ud800"}',
    "lone surrogate in a row": body(row(distributionStatus="@")).replace(b'"@"', b'"\\udfff"'),
    "raw control character": b'{"metaData": null, "invoices": [], "x": "\x01"}',
    "latin-1": '{"metaData": null, "invoices": [], "x": "ä"}'.encode("latin-1"),
    "utf-16": CONTENT.decode().encode("utf-16"),
    "utf-16 without a mark": CONTENT.decode().encode("utf-16-le"),
    "utf-32": CONTENT.decode().encode("utf-32"),
    "overlong utf-8": b'{"metaData": null, "invoices": [], "x": "\xc0\xaf"}',
    "surrogate in utf-8": b'{"metaData": null, "invoices": [], "x": "\xed\xa0\x80"}',
    "lists 100,000 deep": b"[" * 100_000 + b"]" * 100_000,
    "objects 100,000 deep": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "an unknown field 100,000 deep": b'{"invoices": [], "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "a row 100,000 deep": b'{"invoices": [{"x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}]}",
    "an endless number": b'{"invoices": [], "x": ' + b"9" * 100_000 + b"}",
}


@pytest.mark.parametrize("name", NOT_JSON)
async def test_a_body_that_is_not_strict_json_is_a_decode_error(name: str) -> None:
    async with Peer(reply(NOT_JSON[name]), NOTHING) as peer, peer.client() as client:
        error = await failure(client)
    assert type(error) is ResponseDecodeError
    assert error.path == ""
    assert len(peer.calls) == 1


BROKEN = {
    "null": (b"null", ""),
    "a list": (b"[]", ""),
    "text": (b'"invoices"', ""),
    "a number": (b"0", ""),
    "true": (b"true", ""),
    "nothing in it": (b"{}", "invoices"),
    "another object": (b'{"error": "quota"}', "invoices"),
    "invoices null": (b'{"metaData": {}, "invoices": null}', "invoices"),
    "invoices an object": (b'{"invoices": {}}', "invoices"),
    "invoices text": (b'{"invoices": "[]"}', "invoices"),
    "metadata a list": (b'{"metaData": [], "invoices": []}', "metaData"),
    "metadata text": (b'{"metaData": "x", "invoices": []}', "metaData"),
    "a row null": (b'{"invoices": [{}, null]}', "invoices[1]"),
    "a row a list": (b'{"invoices": [[]]}', "invoices[0]"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_body_of_another_shape_is_a_decode_error_that_names_the_place(name: str) -> None:
    content, path = BROKEN[name]
    error = await failure_of(reply(content))
    assert isinstance(error, ResponseDecodeError)
    assert (error.path, error.excerpt) == (path, "")


@pytest.mark.parametrize("content", [b"<html>", b"{}", body(row(invoiceNumber=1.5)), b"[" * 100_000])
async def test_a_decode_error_hangs_on_nothing_foreign(content: bytes) -> None:
    error = await failure_of(reply(content))
    assert {type(each).__module__.split(".")[0] for each in chain(error)} == {"confirma_async"}


@pytest.mark.parametrize(
    "content_type",
    ["text/html", "application/json; charset=utf-16", "application/json; charset=nonsense", "x", "", "text/plain"],
)
async def test_what_the_content_type_says_changes_nothing(content_type: str) -> None:
    answer = reply(
        '{"metaData": null, "invoices": [{"distributionStatus": "ä"}]}'.encode(), headers={"Content-Type": content_type}
    )
    async with Peer(answer) as peer, peer.client() as client:
        assert [record.distribution_status for record in await ask(client)] == ["ä"]


async def test_a_byte_order_mark_is_skipped() -> None:
    assert await numbers(reply(b"\xef\xbb\xbf" + CONTENT)) == ["7", "8"]


async def test_of_two_equal_names_the_last_one_counts() -> None:
    twice = b'{"invoices": [{"invoiceNumber": 1}], "invoices": [{"invoiceNumber": 1, "invoiceNumber": 2}]}'
    assert await numbers(reply(twice)) == ["2"]


CODED: Script = {
    "gzip": coded(gzip.compress(CONTENT), "gzip"),
    "GZIP": coded(gzip.compress(CONTENT), "GZIP"),
    "x-gzip": coded(gzip.compress(CONTENT), "x-gzip"),
    "gzip in several members": coded(b"".join(map(gzip.compress, [CONTENT[:9], b"", CONTENT[9:]])), "gzip"),
    "deflate": coded(zlib.compress(CONTENT), "deflate"),
    "bare deflate": coded(bare_deflate(CONTENT), "deflate"),
    "identity": coded(CONTENT, "identity"),
    "no length": then_hang_up(head() + CONTENT),
    "chunked": head("Transfer-Encoding: chunked") + b"5\r\n" + CONTENT[:5] + b"\r\n%x\r\n" % (len(CONTENT) - 5)
    + CONTENT[5:] + b"\r\n0\r\n\r\n",
}  # fmt: skip


@pytest.mark.parametrize("name", CODED)
async def test_a_body_may_come_in_any_coding_that_was_asked_for(name: str) -> None:
    assert await numbers(CODED[name]) == ["7", "8"]


CUT: Script = {
    "gzip": coded(gzip.compress(CONTENT)[:-1], "gzip"),
    "gzip before its checksum": coded(gzip.compress(CONTENT)[:-8], "gzip"),
    "gzip in its head": coded(gzip.compress(CONTENT)[:5], "gzip"),
    "gzip between members": coded(gzip.compress(CONTENT) + gzip.compress(b"x")[:4], "gzip"),
    "gzip with a wrong checksum": coded(gzip.compress(CONTENT)[:-8] + b"\0" * 8, "gzip"),
    "deflate": coded(zlib.compress(CONTENT)[:-2], "deflate"),
    "bare deflate": coded(bare_deflate(CONTENT)[:-2], "deflate"),
    "not gzip at all": coded(CONTENT, "gzip"),
    "length": then_hang_up(head(f"Content-Length: {len(CONTENT) + 1}") + CONTENT),
    "chunked": then_hang_up(head("Transfer-Encoding: chunked") + b"5\r\n" + CONTENT[:5] + b"\r\n"),
    "chunk": then_hang_up(head("Transfer-Encoding: chunked") + b"ff\r\n" + CONTENT[:5]),
    "no answer": then_hang_up(b""),
}


@pytest.mark.parametrize("name", CUT)
async def test_a_body_that_is_cut_off_is_never_taken_for_whole(name: str) -> None:
    assert type(await failure_of(CUT[name], retry=ONCE)) is TruncatedResponseError


@pytest.mark.parametrize("coding", ["br", "zstd", "compress", "gzip, gzip", "gzip, br", "x", "gzip;q=1"])
async def test_a_coding_that_was_not_asked_for_is_refused(coding: str) -> None:
    assert type(await failure_of(coded(CONTENT, coding), retry=ONCE)) is ProtocolError


MALFORMED = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "no head": CONTENT + b"\r\n\r\n",
    "status in letters": b"HTTP/1.1 OK 200\r\n\r\n",
    "status of four digits": b"HTTP/1.1 2000 OK\r\n\r\n",
    "length in letters": head("Content-Length: many") + CONTENT,
    "length below zero": head("Content-Length: -1") + CONTENT,
    "two lengths": head("Content-Length: 5", "Content-Length: 6") + CONTENT,
    "length and chunks": head("Content-Length: 5", "Transfer-Encoding: chunked") + CONTENT,
    "length too small": head("Content-Length: 20") + CONTENT,
    "chunk size in letters": head("Transfer-Encoding: chunked") + b"many\r\n{}\r\n0\r\n\r\n",
    "chunk size below zero": head("Transfer-Encoding: chunked") + b"-5\r\n{}\r\n0\r\n\r\n",
    "chunk longer than it says": head("Transfer-Encoding: chunked") + b"1\r\n{}{}\r\n0\r\n\r\n",
    "null in a header": head("X-Odd: a\0b", "Content-Length: 2") + b"{}",
    "a header of 100,000 bytes": head("X-Long: " + "a" * 100_000, "Content-Length: 2") + b"{}",
    "40,000 headers": head(*(f"X-{at}: a" for at in range(40_000)), "Content-Length: 2") + b"{}",
    "switching protocols": head(status=101),
}


@pytest.mark.parametrize("name", MALFORMED)
async def test_what_is_not_http_is_a_typed_error(name: str) -> None:
    error = await failure_of(then_hang_up(MALFORMED[name]), retry=ONCE)
    assert isinstance(error, ProtocolError | ResponseDecodeError | TruncatedResponseError)
    assert {type(each).__module__.split(".")[0] for each in chain(error)} == {"confirma_async"}


@pytest.mark.parametrize("status", [201, 202, 203, 206, 226, 299, 600, 999])
async def test_a_status_that_the_service_does_not_define_is_a_protocol_error(status: int) -> None:
    async with Peer(reply(CONTENT, status), NOTHING) as peer, peer.client() as client:
        assert type(await failure(client)) is ProtocolError
    assert len(peer.calls) == 1


async def test_no_content_is_no_records_and_unverified() -> None:
    async with Peer(head(status=204)) as peer, peer.client() as client:
        paginator = client.distributions.list()
        assert await paginator.collect() == []
        assert paginator.report.verdict == "UNVERIFIED"


@pytest.mark.parametrize(
    "answer",
    [
        reply(b"[" + b" " * 2000 + b"]"),
        then_hang_up(head() + b" " * 2000),
        coded(gzip.compress(b" " * 2000), "gzip"),
        coded(gzip.compress(b" " * 600) * 3, "gzip"),
        coded(bare_deflate(b" " * 2000), "deflate"),
        head("Transfer-Encoding: chunked") + b"7d0\r\n" + b" " * 2000 + b"\r\n0\r\n\r\n",
    ],
    ids=["length", "no length", "gzip", "gzip in members", "bare deflate", "chunked"],
)
async def test_more_bytes_than_allowed_are_refused(answer: bytes | Answer) -> None:
    async with Peer(answer, NOTHING) as peer, peer.client(max_response_bytes=1000) as client:
        error = await failure(client)
    assert isinstance(error, ResponseTooLargeError)
    assert (error.limit, len(peer.calls)) == (1000, 1)


@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_exactly_as_many_bytes_as_allowed_are_fine(coding: str) -> None:
    content = gzip.compress(CONTENT) if coding == "gzip" else CONTENT
    async with Peer(coded(content, coding)) as peer, peer.client(max_response_bytes=len(CONTENT)) as client:
        assert len(await ask(client)) == 2


async def test_a_client_goes_on_after_any_of_it() -> None:
    answers = [reply(NOT_JSON["html"]), *CUT.values(), reply(CONTENT)]
    async with Peer(*answers) as peer, peer.client(retry=ONCE) as client:
        for _ in answers[:-1]:
            assert isinstance(await failure(client), ConfirmaError)
        assert [record.invoice_number for record in await ask(client)] == ["7", "8"]
