"""What came back: status and bytes become an answer or one of our errors. No I/O."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import attrs
import msgspec

from ..errors import ApiStatusError, ConfirmaError, ProtocolError, ResponseDecodeError, error_class_for
from ..records import DistributionMetadata, InvoiceDistribution
from .fast import decode_exact
from .request import Request
from .tolerant import Broken, read_object, read_record, read_rows

BODY_SHOWN = 2000
EXCERPT_SHOWN = 200
_REQUEST_ID_SHOWN = 128
_REQUEST_ID_HEADERS = ("X-Request-Id", "X-Correlation-Id", "Request-Id")
_DIGITS = re.compile(r"[0-9]+")
_LONGEST_SECONDS = 9
_NO_CONTENT = HTTPStatus.NO_CONTENT.value
_ANSWERS = frozenset({HTTPStatus.OK.value, _NO_CONTENT})  # plain numbers: to hash an enum's member takes Python
_NAMED = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_LONGEST_CHARACTER = 12  # characters that an escaped one takes
_BOM = b"\xef\xbb\xbf"


@attrs.define(eq=False, repr=False)
class RawReply:
    """What the transport hands up: plain facts; `headers` is read without regard to case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@attrs.define(eq=False, repr=False)
class InvalidRow:
    """A row that broke the contract: its place, and a digest by which it is known again."""

    path: str
    digest: int


@attrs.define(eq=False, repr=False)
class Answer:
    """One answer as the contract has it.

    `received`: rows that came, those in `invalid` included, which broke the contract. `empty`: a 204, which
    promises nothing. `body`: what it was read from, decoded; `rows_again` reads its rows once more.
    """

    metadata: DistributionMetadata
    rows: list[InvoiceDistribution]
    received: int
    body: bytes
    invalid: tuple[InvalidRow, ...] = ()
    empty: bool = False

    def let_go(self) -> None:
        """Keep only what the answer says of itself: an answer lives on until all that were asked with it came."""
        self.rows, self.body = [], b""


def read_reply(raw: RawReply, key: str, *, skip_invalid: bool = False) -> Answer:
    """Return the answer of the distribution endpoint, which came with status 200 or 204."""
    if raw.status == _NO_CONTENT:
        return Answer(DistributionMetadata(), [], 0, b"", empty=True)
    try:
        return _read_body(raw.body, key, skip_invalid=skip_invalid)
    except ConfirmaError as error:
        failure = error.with_traceback(None)  # its frames hold the body, and with it what a server echoes
    raise failure


def raise_for_status(raw: RawReply, request: Request, key: str) -> None:
    """Raise the typed error that a reply stands for, unless its status is 200 or 204."""
    if raw.status not in _ANSWERS:
        raise status_error(raw, request, key)


def status_error(raw: RawReply, request: Request, key: str) -> ConfirmaError:
    """Return the error that a reply other than 200 and 204 stands for."""
    where = f"{request.method} {request.shown}"
    if not HTTPStatus.MULTIPLE_CHOICES <= raw.status <= 599:  # the end of HTTP's statuses
        return ProtocolError(f"unexpected status {raw.status} for {where}")
    request_id = _request_id(raw.headers, key)
    named = "" if request_id is None else f" (request id {request_id})"
    error: ApiStatusError = error_class_for(raw.status)(
        f"{raw.status}{_phrase(raw.status)} for {where}{named}",
        status=raw.status,
        body=printable(raw.body, key, BODY_SHOWN),
        request_id=request_id,
        method=request.method,
        url=request.shown,
        retry_after=parse_retry_after(raw.headers.get("Retry-After")),
    )
    return error


def _phrase(status: int) -> str:
    try:
        return f" {HTTPStatus(status).phrase}"
    except ValueError:
        return ""


def _read_body(body: bytes, key: str, *, skip_invalid: bool) -> Answer:
    try:
        metadata, rows = decode_exact(body)
        return Answer(metadata, rows, len(rows), body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        pass  # not exactly as documented; read on outside, so that no error drags this one along
    return _read_tolerantly(body, key, skip_invalid=skip_invalid)


def rows_again(body: bytes) -> list[InvoiceDistribution]:
    """Return the rows of a body that was read before, without those that broke the contract."""
    return _read_body(body, "", skip_invalid=True).rows


def _read_tolerantly(body: bytes, key: str, *, skip_invalid: bool) -> Answer:
    value = decode_json(body, key)
    invalid: list[InvalidRow] = []
    try:
        fields = read_object(value)
        metadata = _metadata(fields)
        rows = _rows(read_rows(fields), invalid if skip_invalid else None)
    except Broken as fault:
        path, problem = fault.path, fault.problem
    else:
        return Answer(metadata, rows, len(rows) + len(invalid), body, tuple(invalid))
    raise ResponseDecodeError(f"the answer breaks the contract at {path or 'its top'}: {problem}", path=path)


def _metadata(body: Mapping[str, object]) -> DistributionMetadata:
    if body.get("metaData") is None:
        return DistributionMetadata()
    try:
        return read_record(DistributionMetadata, body["metaData"])
    except Broken as fault:
        raise fault.under("metaData") from None


def _rows(rows: list[object], invalid: list[InvalidRow] | None) -> list[InvoiceDistribution]:
    invoices: list[InvoiceDistribution] = []
    for index, row in enumerate(rows):
        try:
            invoices.append(read_record(InvoiceDistribution, row))
        except Broken as fault:
            placed = fault.under(f"invoices[{index}]")
            if invalid is None:
                raise placed from None
            invalid.append(InvalidRow(placed.path, hash(msgspec.json.encode(row, order="sorted"))))
    return invoices


def decode_json(body: bytes, key: str) -> object:
    """Return the value of a strict JSON body: UTF-8, no NaN, no lone surrogates; a byte-order mark is allowed."""
    try:
        value: object = msgspec.json.decode(body.removeprefix(_BOM))
    except RecursionError:
        problem = "it is nested too deeply"
    except (msgspec.DecodeError, ValueError):  # ValueError: bytes that are not UTF-8
        problem = "it is cut off, of another type or in another encoding" if body else "it is empty"
    else:
        return value
    raise ResponseDecodeError(f"the answer is not JSON: {problem}", excerpt=printable(body, key, EXCERPT_SHOWN))


def printable(body: bytes, key: str, limit: int) -> str:
    """Return the start of a body as printable text of at most `limit` characters, with the key cut out."""
    longest_form = _LONGEST_CHARACTER * len(key)
    start = body[: 4 * limit + longest_form]
    text = scrub(start.decode("utf-8", "replace"), key)
    if len(start) < len(body):
        text = text[:-longest_form]  # a key across the edge would stay in part
    return "".join(char if char.isprintable() else " " for char in text[:limit])


def scrub(text: str, key: str) -> str:
    """Return the text without the key, in any of the forms in which a server may echo it."""
    if not key:
        return text
    return _cut_out(text, key) if "\\" in key else _forms(key).sub("***", text)


@functools.lru_cache(maxsize=16)
def _forms(key: str) -> re.Pattern[str]:
    """Match the key with each character as it is, or escaped for a URL, for JSON or for HTML."""
    return re.compile("".join(map(_character, key)))


def _cut_out(text: str, key: str) -> str:
    """Do the same for a key with a backslash, which may escape or be itself: a pattern would try both forever."""
    forms = [[re.compile(form) for form in _forms_of(char)] for char in key]
    kept, at = [], 0
    while at < len(text):
        ends = {at}
        for patterns in forms:
            ends = {found.end() for end in ends for form in patterns if (found := form.match(text, end))}
            if not ends:
                break
        kept.append("***" if ends else text[at])
        at = max(ends, default=at + 1)
    return "".join(kept)


def _character(char: str) -> str:
    return f"(?:{'|'.join(_forms_of(char))})"


def _forms_of(char: str) -> list[str]:
    """Return the patterns of a character, the longest first."""
    code = ord(char)
    named = [f"&{_NAMED[char]};"] if char in _NAMED else []
    escaped = rf"(?i:%{code:02x}|\\u{code:04x}|&#0*{code};|&#x0*{code:x};)"
    return [escaped, *named, rf"\\{re.escape(char)}", re.escape(char)]


def _request_id(headers: Mapping[str, str], key: str) -> str | None:
    for name in _REQUEST_ID_HEADERS:
        value = headers.get(name)
        if value:
            return printable(value.encode("utf-8", "replace"), key, _REQUEST_ID_SHOWN)
    return None


def parse_retry_after(text: str | None) -> float | None:
    """Return the seconds a server asks to wait: ASCII digits or an HTTP date; None for anything else.

    More than nine digits are infinity: longer than anybody waits. A date in the past is 0.
    """
    text = (text or "").strip(" \t")
    if not text.isascii():
        return None
    if _DIGITS.fullmatch(text):
        return float(text) if len(text) <= _LONGEST_SECONDS else math.inf
    try:
        moment = parsedate_to_datetime(text)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError, IndexError, OverflowError):
        return None
