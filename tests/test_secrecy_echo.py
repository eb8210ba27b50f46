"""What a server sends back is shown printable, capped, and without the key in whatever form it was echoed."""

from __future__ import annotations

import html
import json
import re
import time
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from confirma_async import ApiStatusError, ResponseDecodeError, RetryPolicy

from .peers import failure_of, reply

KEY = "ab+cd/ef==&gh<ij>'kl\"mn\\op%qr-0123"
ONCE = RetryPolicy(max_attempts=1)


def lower(text: str) -> str:
    return re.sub("%[0-9A-F]{2}", lambda found: found[0].lower(), text)


def escaped(text: str, form: str = "\\u{:04X}", which: str = "+&<>'\"") -> str:
    return "".join(form.format(ord(char)) if char in which else char for char in text)


FORMS = {
    "as it is": KEY,
    "percent": quote(KEY, safe=""),
    "percent in lower case": lower(quote(KEY, safe="")),
    "percent but slashes": quote(KEY),
    "form": quote_plus(KEY),
    "json": json.dumps(KEY)[1:-1],
    "json with escaped slashes": json.dumps(KEY)[1:-1].replace("/", "\\/"),
    "json for html": escaped(KEY.replace("\\", "\\\\")),
    "json for html in lower case": escaped(KEY.replace("\\", "\\\\"), "\\u{:04x}"),
    "html": html.escape(KEY),
    "html without quotes": html.escape(KEY, quote=False),
    "html in numbers": escaped(KEY, "&#{};"),
    "every character escaped": escaped(KEY, "\\u{:04x}", KEY),
    "every character percent": "".join(f"%{ord(char):02x}" for char in KEY),
}


def traces(text: str) -> list[str]:
    """Pieces of the key that are long enough to matter."""
    forms = {**FORMS, "plain": KEY}
    pieces = {form[at : at + 12] for form in forms.values() for at in range(len(form) - 11)}
    return sorted(piece for piece in pieces if piece in text)


@pytest.mark.parametrize("name", FORMS)
async def test_an_echoed_key_is_cut_out_of_the_body(name: str) -> None:
    error = await failure_of(reply(f"refused: {FORMS[name]}, sorry".encode(), 403), api_key=KEY)
    assert isinstance(error, ApiStatusError)
    assert traces(error.body) == []
    assert error.body.startswith("refused: ")
    assert error.body.endswith(", sorry")


@pytest.mark.parametrize("name", FORMS)
async def test_an_echoed_key_is_cut_out_of_the_request_id(name: str) -> None:
    error = await failure_of(reply(b"", 403, {"X-Request-Id": f"<{FORMS[name]}>"}), api_key=KEY)
    assert isinstance(error, ApiStatusError)
    assert traces(f"{error.request_id} {error}") == []


@pytest.mark.parametrize("name", FORMS)
async def test_an_echoed_key_is_cut_out_of_an_excerpt(name: str) -> None:
    error = await failure_of(reply(f"<p>{FORMS[name]}".encode()), api_key=KEY)
    assert isinstance(error, ResponseDecodeError)
    assert traces(error.excerpt) == []
    assert error.excerpt.startswith("<p>")


@pytest.mark.parametrize("times", [1, 100, 500, 5000])
@pytest.mark.parametrize("before", [0, 1, 150, 1990, 12_000])
async def test_no_part_of_a_key_survives_at_the_edge(times: int, before: int) -> None:
    error = await failure_of(reply(b"x" * before + KEY.encode() * times, 403), api_key=KEY)
    assert isinstance(error, ApiStatusError)
    assert traces(error.body) == []


@pytest.mark.parametrize("status", [200, 403, 503])
@pytest.mark.parametrize(
    "content", [b"\0\x1b[31m\r\n\t", "\u202eevil\u2066".encode(), b"\xff\xfe\x80", "\ud7ff\ue000".encode(), b"\x7f\x85"]
)
async def test_what_is_shown_of_a_body_is_printable(status: int, content: bytes) -> None:
    error = await failure_of(reply(b"<" + content * 9, status), retry=ONCE)
    text = error.excerpt if isinstance(error, ResponseDecodeError) else getattr(error, "body", "")
    assert text
    assert text.isprintable()


@pytest.mark.parametrize("size", [10, 2000, 2001, 1_000_000])
async def test_what_is_shown_of_a_body_is_capped(size: int) -> None:
    error = await failure_of(reply("ä".encode() * size, 403))
    assert isinstance(error, ApiStatusError)
    assert error.body == "ä" * min(size, 2000)


async def test_an_excerpt_is_capped() -> None:
    error = await failure_of(reply(b"<" + b"a" * 100_000))
    assert isinstance(error, ResponseDecodeError)
    assert 0 < len(error.excerpt) <= 200


async def test_a_request_id_is_printable_and_capped() -> None:
    error = await failure_of(reply(b"", 403, {"X-Request-Id": "\u202e" + "i" * 3000}))
    assert isinstance(error, ApiStatusError)
    assert error.request_id is not None
    assert error.request_id.isprintable()
    assert len(error.request_id) <= 128


async def test_neither_body_nor_excerpt_is_part_of_the_message() -> None:
    for status in (200, 403):
        error = await failure_of(reply(b"<very private>", status))
        assert "private" not in str(error)
        assert "\n" not in str(error)


@settings(max_examples=40, deadline=None)
@given(st.text(alphabet=[chr(code) for code in range(33, 127)], min_size=12, max_size=60), st.data())
async def test_no_printable_key_survives_any_mixture_of_escapes(key: str, data: st.DataObject) -> None:
    def form(char: str) -> str:
        ways = [char, f"%{ord(char):02X}", f"%{ord(char):02x}", f"\\u{ord(char):04X}", f"\\u{ord(char):04x}"]
        return data.draw(st.sampled_from(ways))

    echoed = "".join(form(char) for char in key)
    error = await failure_of(reply(f"[{echoed}]".encode(), 403), api_key=key)
    assert isinstance(error, ApiStatusError)
    assert error.body == "[***]"


@pytest.mark.parametrize("key", ["\\" * 14, "%" * 60, "&" * 60, "a\\" * 14, "ab" * 500])
async def test_looking_for_the_key_takes_no_time(key: str) -> None:
    began = time.monotonic()
    await failure_of(reply(key[:-1].encode() * 300, 403), api_key=f"{key}x")
    assert time.monotonic() - began < 3
