"""Timestamps: the forms that occur on the vendor's pages, as the same instants; everything else is refused."""

from __future__ import annotations

from datetime import UTC, datetime

import attrs
import pytest

from confirma_async import DistributionDates, ResponseDecodeError, from_dict

from .peers import Peer, ask, body, failure, reply, row


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[arg-type, misc]  # year to microsecond


FORMS = [
    ("2026-03-27T00:00:00Z", utc(2026, 3, 27)),
    ("2019-08-24T14:15:22.123Z", utc(2019, 8, 24, 14, 15, 22, 123000)),
    ("2019-08-24T14:15:22.1234567Z", utc(2019, 8, 24, 14, 15, 22, 123456)),
    ("2019-08-24T14:15:22.9999999Z", utc(2019, 8, 24, 14, 15, 22, 999999)),
    ("2019-08-24T14:15:22.1Z", utc(2019, 8, 24, 14, 15, 22, 100000)),
    ("2019-08-24T14:15:22.123456789012Z", utc(2019, 8, 24, 14, 15, 22, 123456)),
    ("2019-08-24T14:15:22+02:00", utc(2019, 8, 24, 12, 15, 22)),
    ("2019-08-24T14:15:22.5-09:30", utc(2019, 8, 24, 23, 45, 22, 500000)),
    ("2019-08-24T14:15:22+00:00", utc(2019, 8, 24, 14, 15, 22)),
    ("2019-08-24T14:15:22-00:00", utc(2019, 8, 24, 14, 15, 22)),
    ("2024-02-29T23:59:59Z", utc(2024, 2, 29, 23, 59, 59)),
    ("0001-01-01T00:00:00Z", utc(1, 1, 1)),
    ("9999-12-31T23:59:59.999999Z", utc(9999, 12, 31, 23, 59, 59, 999999)),
    ("2019-08-24T14:15:22", datetime(2019, 8, 24, 14, 15, 22)),
    ("2019-08-24T14:15:22.1234567", datetime(2019, 8, 24, 14, 15, 22, 123456)),
    ("2019-08-24", datetime(2019, 8, 24)),
]

REFUSED = [
    "",
    " ",
    "Z",
    "yesterday",
    "2019",
    "2019-08",
    "2019-8-24",
    "24.08.2019",
    "08/24/2019",
    "2019-W34-6",
    "2019-W34",
    "2019-W34-6T14:15:22Z",
    "2019-236",
    "20190824",
    "20190824T141522Z",
    "2019-02-29",
    "2019-13-01",
    "0000-01-01",
    "10000-01-01",
    "2019-08-24T24:00:00Z",
    "2019-08-24T24:00:00",
    "2019-08-24T14:60:00Z",
    "2019-08-24T23:59:60Z",
    "2019-08-24T14:15:22+24:00",
    "2019-08-24T14:15:22.Z",
    "2019-08-24T14:15:22..5Z",
    "2019-08-24T14:15:Z",
    "2019-08-24114:15:22.123Z",
    "2019-08-24,14:15:22.123Z",
    "2019-08-24:14:15:22.123Z",
    "2019-08-24T14:15:22.123ZZ",
    "2019-08-24T14:15:22.123+02:00Z",
    "2019-08-24T14:15:22 UTC",
    "2019-08-24T14:15:22[Europe/Helsinki]",
    " 2019-08-24",
    "2019-08-24 ",
    "2019-08-24\n",
    "2019-08-24Z",
    "2019-08-24T",
    "-2019-08-24",
    "2019\u201108\u201124",
    "\uff12\uff10\uff11\uff19-08-24",
    "\u0662\u0660\u0661\u0669-08-24",
    "1566656122",
    "/Date(1566656122000)/",
    "Sat, 24 Aug 2019 14:15:22 GMT",
    "2019-08-24T14:15:22.123" + "0" * 100_000 + "x",
    "0001-01-01T00:00:00+02:00",
    "9999-12-31T23:59:59-02:00",
]


def stamped(text: object) -> dict[str, object]:
    return {"createdAt": text, "printedAt": None, "distributedAt": text, "paymentControlActivatedAt": text}


@pytest.mark.parametrize("more", [{}, {"unknown": 1}], ids=["as documented", "with an unknown field"])
@pytest.mark.parametrize(("text", "moment"), FORMS)
async def test_a_known_form_is_its_instant(text: str, moment: datetime, more: dict[str, object]) -> None:
    async with Peer(reply(body(row(dates=stamped(text), **more)))) as peer, peer.client() as client:
        (record,) = await ask(client)
    for found in (record.dates.created_at, record.dates.distributed_at, record.dates.payment_control_activated_at):
        assert found == moment
        assert found is not None
        assert found.tzinfo is moment.tzinfo


@pytest.mark.parametrize("field", ["createdAt", "printedAt", "distributedAt", "paymentControlActivatedAt"])
async def test_an_instant_is_brought_to_utc_whichever_it_is(field: str) -> None:
    others = dict.fromkeys(stamped(None), "2019-08-24T14:15:22Z")
    dates = {**others, field: "2019-08-24T14:15:22+02:00"}
    async with Peer(reply(body(row(dates=dates)))) as peer, peer.client() as client:
        (record,) = await ask(client)
    hours = {name: moment.hour for name, moment in attrs.asdict(record.dates).items() if isinstance(moment, datetime)}
    assert sorted(hours.values()) == [12, 14, 14, 14]
    assert all(moment.tzinfo is UTC for moment in attrs.asdict(record.dates).values() if isinstance(moment, datetime))


@pytest.mark.parametrize("more", [{}, {"unknown": 1}], ids=["as documented", "with an unknown field"])
@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
async def test_any_other_form_is_refused_by_place_and_never_shown(text: str, more: dict[str, object]) -> None:
    async with Peer(reply(body(row(), row(dates=stamped(text), **more)))) as peer, peer.client() as client:
        error = await failure(client)
    assert isinstance(error, ResponseDecodeError)
    assert error.path == "invoices[1].dates.createdAt"
    assert len(text) < 3 or text not in f"{error} {vars(error)}"


@pytest.mark.parametrize("text", REFUSED, ids=lambda text: ascii(text)[:40])
def test_dictionaries_are_read_as_strictly(text: str) -> None:
    with pytest.raises(ResponseDecodeError) as caught:
        from_dict(DistributionDates, {"printedAt": text})
    assert caught.value.path == "printedAt"


@pytest.mark.parametrize("text", ["2019-08-24T14:15:22.999999\\u0039Z", "2019-08-24T14:15:22\\u002E9999999Z"])
async def test_escaped_characters_are_the_characters_they_stand_for(text: str) -> None:
    async with Peer(reply(body(row(dates=stamped("@"))).replace(b"@", text.encode()))) as peer, peer.client() as client:
        (record,) = await ask(client)
    assert record.dates.created_at == utc(2019, 8, 24, 14, 15, 22, 999999)
