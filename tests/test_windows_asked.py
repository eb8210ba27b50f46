"""What a range becomes on the wire, and what is refused before anything is sent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import TypedDict
from zoneinfo import ZoneInfo

import pytest

from confirma_async import ConfigurationError, DateWindow, ServiceProfile, Verdict, split_date_range

from .servers import Asked, Reply, Service, day, numbers, reply, row, rows_by_day


class Arguments(TypedDict, total=False):
    """Arguments of `list` that cannot be asked, whatever their type."""

    from_date: date | None
    to_date: date | None
    window_days: int
    max_items: int | None
    ordered: bool
    invoice_number: str | None
    fetch_type: str | None
    params: dict[str, str]
    resume_token: str | None


@pytest.fixture
def restored_zone() -> Iterator[None]:
    """Leave the process in the time zone in which it was found."""
    before = os.environ.get("TZ")
    yield
    os.environ.pop("TZ", None)
    if before is not None:
        os.environ["TZ"] = before
    time.tzset()


def empty(asked: Asked) -> Reply:
    """No rows, honestly."""
    return reply(asked, [])


async def test_a_range_is_asked_for_window_by_window() -> None:
    async with Service(empty) as service, service.client() as client:
        await client.distributions.list(day(0), day(99), window_days=30).collect()
    assert sorted(split_date_range(day(0), day(99), 30)) == sorted(window for window in service.windows if window)


async def test_a_range_as_long_as_a_window_is_one_request() -> None:
    async with Service(empty) as service, service.client() as client:
        await client.distributions.list(day(0), day(29)).collect()
    assert [DateWindow(day(0), day(29))] == service.windows


@pytest.mark.parametrize("zone", ["UTC", "Europe/Helsinki", "Pacific/Kiritimati", "America/Anchorage"])
@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the zone of a process cannot be changed here")
async def test_the_zone_of_the_machine_changes_no_request(zone: str, restored_zone: None) -> None:
    os.environ["TZ"] = zone
    time.tzset()
    async with Service(empty) as service, service.client(concurrency=1) as client:
        await client.distributions.list(date(2024, 2, 27), date(2024, 3, 1), window_days=2).collect()
    assert [asked.query for asked in service.asked] == [
        {"fromInvDate": "2024-02-27", "toInvDate": "2024-02-28"},
        {"fromInvDate": "2024-02-29", "toInvDate": "2024-03-01"},
    ]


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Midway"])
async def test_a_start_alone_runs_to_today_in_the_zone_of_the_profile(zone: str) -> None:
    async with Service(empty) as service, service.client(profile=ServiceProfile(time_zone=zone)) as client:
        before = datetime.now(ZoneInfo(zone)).date()
        await client.distributions.list(before - timedelta(days=1)).collect()
        assert before <= service.windows[0].end <= datetime.now(ZoneInfo(zone)).date()  # type: ignore[union-attr]  # dates were sent


async def test_no_dates_are_one_request_without_dates() -> None:
    async with Service(empty) as service, service.client() as client:
        invoices = client.distributions.list()
        await invoices.collect()
    assert [asked.query for asked in service.asked] == [{}]
    assert invoices.report.verdict == Verdict.COMPLETE


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (date.min, date(1, 1, 5)),
        (date(9999, 12, 27), date.max),
        (date(2024, 2, 28), date(2024, 3, 1)),
        (date(2024, 12, 31), date(2025, 1, 1)),
    ],
)
async def test_the_edges_of_the_calendar_are_ordinary_days(start: date, end: date) -> None:
    async with Service(lambda asked: reply(asked, rows_by_day(asked.window, 1))) as service, service.client() as client:
        invoices = client.distributions.list(start, end, window_days=2)
        got = numbers(await invoices.collect())
    assert [f"{start + timedelta(days=place):%Y%m%d}-0" for place in range((end - start).days + 1)] == got
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_the_first_days_of_the_calendar_can_be_halved() -> None:
    async with (
        Service(lambda asked: reply(asked, rows_by_day(asked.window, 1)[:1], len(rows_by_day(asked.window, 1)))) as it,
        it.client() as client,
    ):
        assert len(await client.distributions.list(date.min, date(1, 1, 8)).collect()) == 8
        assert len(await client.distributions.list(date(9999, 12, 24), date.max).collect()) == 8


async def test_an_exclusive_end_is_asked_for_as_the_day_after() -> None:
    profile = ServiceProfile(end_inclusive=False)
    async with Service(empty) as service, service.client(profile=profile) as client:
        invoices = client.distributions.list(day(0), day(3), window_days=2)
        await invoices.collect()
    assert {("2025-01-01", "2025-01-03"), ("2025-01-03", "2025-01-05")} == {
        (asked.query["fromInvDate"], asked.query["toInvDate"]) for asked in service.asked
    }
    assert invoices.report.verdict == Verdict.COMPLETE


async def test_query_names_are_those_of_the_profile() -> None:
    profile = ServiceProfile(from_name="since", to_name="until", invoice_number_name="no", fetch_type_name="kind")
    async with Service(lambda _: Reply(status=204)) as service, service.client(profile=profile) as client:
        await client.distributions.list(day(0), day(0), invoice_number="7", fetch_type="X").collect()
    assert service.asked[0].query == {"since": "2025-01-01", "until": "2025-01-01", "no": "7", "kind": "X"}


@pytest.mark.parametrize(
    "refused",
    [
        Arguments(from_date=day(1), to_date=day(0)),
        Arguments(from_date=None),
        Arguments(from_date=datetime(2025, 1, 1)),
        Arguments(to_date=datetime(2025, 1, 2)),
        Arguments(from_date="2025-01-01"),  # type: ignore[typeddict-item]  # wrong on purpose, as all below
        Arguments(from_date="20240203"),  # type: ignore[typeddict-item]
        Arguments(from_date=20240203),  # type: ignore[typeddict-item]
        Arguments(window_days=0),
        Arguments(window_days=-30),
        Arguments(window_days=True),
        Arguments(window_days=1.5),  # type: ignore[typeddict-item]
        Arguments(window_days="30"),  # type: ignore[typeddict-item]
        Arguments(max_items=-1),
        Arguments(max_items=True),
        Arguments(max_items=2.0),  # type: ignore[typeddict-item]
        Arguments(ordered=1),  # type: ignore[typeddict-item]
        Arguments(invoice_number=7),  # type: ignore[typeddict-item]
        Arguments(invoice_number=""),
        Arguments(invoice_number="7\n"),
        Arguments(fetch_type=""),
        Arguments(params={"fromInvDate": "2025-01-01"}),
        Arguments(params={"a": 1}),  # type: ignore[dict-item]
        Arguments(params=[("a", "b")]),  # type: ignore[typeddict-item]
        Arguments(completeness="maybe"),  # type: ignore[typeddict-unknown-key]
        Arguments(on_invalid="skip"),  # type: ignore[typeddict-unknown-key]
        Arguments(resume_token=""),
        Arguments(resume_token=b"bytes"),  # type: ignore[typeddict-item]
    ],
    ids=str,
)
async def test_what_cannot_be_asked_is_refused_before_anything_is_sent(refused: Arguments) -> None:
    arguments: Arguments = {"from_date": day(0), "to_date": day(0), **refused}
    async with Service(empty) as service, service.client() as client:
        with pytest.raises(ConfigurationError):
            client.distributions.list(**arguments)
    assert service.asked == []


@pytest.mark.parametrize("concurrency", [0, -1, True, 1.0, "8"])
async def test_a_concurrency_that_is_no_count_is_refused(concurrency: int) -> None:
    async with Service(empty) as service:
        with pytest.raises(ConfigurationError):
            service.client(concurrency=concurrency)


async def test_the_last_day_of_the_calendar_is_refused_where_the_end_is_exclusive() -> None:
    async with Service(empty) as service, service.client(profile=ServiceProfile(end_inclusive=False)) as client:
        with pytest.raises(ConfigurationError):
            client.distributions.list(day(0), date.max)


async def test_nothing_is_sent_before_the_first_record_is_wanted() -> None:
    async with Service(lambda asked: reply(asked, [row(1)])) as service, service.client() as client:
        invoices = client.distributions.list(day(0), day(9))
        iterator = aiter(invoices)
        assert service.asked == []
        assert (await anext(iterator)).invoice_number == "1"
