"""What holds for every kind of target."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import attrs
import pytest

from confirma_async.backfill import BackfillReport, StoredRecord, load_report, open_target, shared
from confirma_async.errors import CheckpointError, ConfigurationError, ServerError, TargetError
from confirma_async.records import Extra, InvoiceDistribution, PaymentControl
from confirma_async.reports import Verdict
from confirma_async.windows import DateWindow

from .fakes import Calendar, Rows, Service, invoice, run, three_a_day

FIRST, LAST = date(2025, 1, 1), date(2025, 3, 31)
LATER = Calendar(day=date(2026, 6, 1))


async def stored(into: str | Path) -> list[StoredRecord]:
    return [record async for record in open_target(into).records()]


async def invoices(into: str | Path) -> Counter[InvoiceDistribution]:
    return Counter(record.invoice for record in await stored(into))


def expected(service: Service, start: date = FIRST, end: date = LAST) -> Counter[InvoiceDistribution]:
    return Counter(service.rows_in(DateWindow(start, end)))


async def test_every_record_is_stored_once_and_proved(into: str) -> None:
    service = Service()
    report = await run(service, FIRST, LAST, into)
    assert await invoices(into) == expected(service)
    assert (report.verdict, report.records, report.requests, report.reasons) == (Verdict.COMPLETE, 270, 3, ())
    assert [(proof.promised, proof.stored, proof.added) for proof in report.windows] == [(90, 90, 90)] * 3


async def test_the_proof_is_readable_from_the_target_alone(into: str) -> None:
    report = await run(Service(), FIRST, LAST, into)
    assert await load_report(into) == report


async def test_a_failed_run_goes_on_with_what_is_missing(into: str) -> None:
    service = Service(fail_after=2, failure=ServerError("down", status=503))
    with pytest.raises(ServerError):
        await run(service, FIRST, date(2025, 12, 31), into)
    service.fail_after = None
    asked = len(service.asked)
    report = await run(service, FIRST, date(2025, 12, 31), into)
    assert await invoices(into) == expected(service, FIRST, date(2025, 12, 31))
    assert (asked, len(service.asked)) == (3, 14)
    assert (report.records, report.requests, report.runs[0].run) == (1095, 13, 1)


async def test_an_unfinished_run_is_incomplete_and_says_what_is_missing(into: str) -> None:
    service = Service(fail_after=1, failure=ServerError("down", status=503))
    with pytest.raises(ServerError):
        await run(service, FIRST, LAST, into)
    report = await load_report(into)
    assert (report.verdict, report.records) == (Verdict.INCOMPLETE, 90)
    assert report.reasons == ("2025-01-31..2025-03-31: not read yet",)


async def test_a_finished_backfill_asks_again_only_for_what_had_not_settled(into: str) -> None:
    service = Service(profile=Calendar(day=date(2025, 4, 10)))
    await run(service, FIRST, LAST, into)
    await run(service, FIRST, LAST, into)
    assert service.asked[3:] == [DateWindow(date(2025, 3, 2), LAST)]
    service.profile = LATER
    await run(service, FIRST, LAST, into)
    await run(service, FIRST, LAST, into)
    assert service.asked[4:] == [DateWindow(date(2025, 3, 2), LAST)]


async def test_a_longer_range_and_other_windows_extend_the_target(into: str) -> None:
    service = Service(profile=LATER)
    await run(service, date(2025, 2, 1), date(2025, 2, 10), into)
    report = await run(service, FIRST, LAST, into, window_days=7)
    asked = [day for window in service.asked for day in range(window.start.toordinal(), window.end.toordinal() + 1)]
    assert len(asked) == len(set(asked)) == 90
    assert await invoices(into) == expected(service)
    assert report.verdict is Verdict.COMPLETE


async def test_a_daily_run_until_today_keeps_one_growing_window(into: str) -> None:
    service = Service()
    for day in range(1, 6):
        service.profile = Calendar(day=date(2025, 1, day))
        await run(service, FIRST, date(2025, 1, day), into)
    assert len(service.asked) == 5
    report = await load_report(into)
    assert [proof.window for proof in report.windows] == [DateWindow(FIRST, date(2025, 1, 5))]
    assert await invoices(into) == expected(service, FIRST, date(2025, 1, 5))


def _later(day: date) -> Rows:
    """The next state: the first row changed and lost its case id, the second is as it was, the third is gone."""
    first, second, _ = three_a_day(day)
    return [attrs.evolve(first, distribution_status="SEEN", payment_control=PaymentControl()), second]


async def test_a_later_state_replaces_the_earlier_and_keeps_what_is_kept(into: str) -> None:
    service = Service(profile=Calendar(day=date(2025, 4, 1)))
    await run(service, FIRST, LAST, into, refresh_days=400)
    before = {record.invoice.invoice_number: record for record in await stored(into)}
    service.rows_of = _later
    report = await run(service, FIRST, LAST, into, refresh_days=400)
    after = {record.invoice.invoice_number: record for record in await stored(into)}
    assert len(await stored(into)) == len(after) == 270
    for day in (FIRST, LAST):
        changed, same, gone = (f"{day:%Y%m%d}{place}" for place in range(3))
        assert after[changed].invoice.distribution_status == "SEEN"
        assert after[changed].invoice.payment_control.case_id == f"C{day:%Y%m%d}"
        assert after[changed].first_seen == before[changed].first_seen < after[changed].last_changed
        assert (after[same], after[gone]) == (before[same], before[gone])
    assert sum(proof.changed for proof in report.windows) == 90
    assert sum(proof.added for proof in report.windows) == 0


async def test_errors_are_replaced_with_their_invoice(into: str) -> None:
    service = Service(rows_of=lambda _: [invoice("1", errors=3)], profile=Calendar(day=FIRST))
    await run(service, FIRST, FIRST, into)
    service.rows_of = lambda _: [invoice("1", "SENT AGAIN", errors=1)]
    await run(service, FIRST, FIRST, into)
    assert [len(record.invoice.errors) for record in await stored(into)] == [1]


async def test_rows_of_one_number_and_rows_without_a_number_are_all_kept(into: str) -> None:
    rows = [invoice("7", "A"), invoice("7", "B"), invoice(None, "A"), invoice(None, "B"), invoice("007", "A")]
    service = Service(rows_of=lambda _: rows, profile=Calendar(day=FIRST), page=2)
    await run(service, FIRST, FIRST, into)
    assert await invoices(into) == Counter(rows)
    rows[1] = invoice("7", "C")
    report = await run(service, FIRST, FIRST, into)
    assert await invoices(into) == Counter(rows)
    assert (report.windows[0].changed, report.windows[0].added) == (1, 0)
    rows.append(invoice("7", "D"))
    await run(service, FIRST, FIRST, into)
    rows[0] = invoice("7", "E")
    await run(service, FIRST, FIRST, into)
    assert await invoices(into) == Counter(rows)


async def test_a_row_that_repeats_at_the_seam_of_two_runs_is_stored_once(into: str) -> None:
    def rows_of(day: date) -> Rows:
        return [invoice("edge")] if day in {date(2025, 1, 30), date(2025, 1, 31)} else [invoice(f"{day}")]

    service = Service(rows_of=rows_of, fail_after=1, failure=ServerError("down", status=503), profile=LATER)
    with pytest.raises(ServerError):
        await run(service, FIRST, LAST, into)
    service.fail_after = None
    report = await run(service, FIRST, LAST, into)
    held = await invoices(into)
    assert (held[invoice("edge")], sum(held.values())) == (1, 89)
    assert (report.duplicates, report.records) == (1, 89)


async def test_unknown_fields_survive(into: str) -> None:
    row = attrs.evolve(invoice("1"), extra=Extra({"account": "theirs", "_account": 2**70, "new": [1, {"a": None}]}))
    await run(Service(rows_of=lambda _: [row]), FIRST, FIRST, into, account="ours")
    (held,) = await stored(into)
    assert (held.invoice, held.account) == (row, "ours")


async def test_empty_windows_are_done_too(into: str) -> None:
    service = Service(rows_of=lambda _: [], profile=LATER)
    report = await run(service, FIRST, LAST, into)
    await run(service, FIRST, LAST, into)
    assert (report.verdict, report.records, len(service.asked)) == (Verdict.COMPLETE, 0, 3)
    assert await stored(into) == []


async def test_a_new_run_without_anything_to_do_asks_nothing(into: str) -> None:
    service = Service(profile=LATER)
    await run(service, FIRST, LAST, into)
    report = await run(service, FIRST, LAST, into)
    assert (len(service.asked), report.requests, report.records, report.runs[0].run) == (3, 0, 270, 2)


async def test_several_accounts_share_a_target_each_with_its_own_coverage(into: str) -> None:
    one, two = Service(profile=LATER), Service(profile=LATER, base_url="https://other.example")
    await run(one, FIRST, LAST, shared(into), account="one")
    await run(two, FIRST, FIRST, shared(into), account="two")
    report = await load_report(into)
    assert Counter(record.account for record in await stored(into)) == {"one": 270, "two": 3}
    assert (report.records, len(report.runs), (await load_report(into, "two")).records) == (273, 2, 3)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"environment": "staging"}, "environment"),
        ({"fetch_type": "ALL"}, "fetch_type"),
        ({"account": "b"}, "without an account label"),
    ],
)
async def test_rows_of_another_origin_are_refused_before_the_first_request(
    into: str, change: dict[str, str], says: str
) -> None:
    service = Service()
    await run(service, FIRST, FIRST, into)
    with pytest.raises(CheckpointError, match=says):
        await run(service, FIRST, LAST, into, **change)  # type: ignore[arg-type]  # text only
    assert len(service.asked) == 1


async def test_another_address_is_refused_and_a_label_must_stay(into: str) -> None:
    service = Service()
    await run(service, FIRST, FIRST, into, account="a")
    with pytest.raises(CheckpointError, match="labelled accounts"):
        await run(service, FIRST, FIRST, into)
    service.base_url = "https://elsewhere.example"
    with pytest.raises(CheckpointError, match="address"):
        await run(service, FIRST, LAST, into, account="a")
    assert len(service.asked) == 1


async def test_an_incomplete_window_is_stored_told_and_read_again_next_time(into: str) -> None:
    service = Service(verdicts={FIRST: Verdict.INCOMPLETE}, profile=LATER)
    report = await run(service, FIRST, LAST, into)
    assert (report.verdict, report.records) == (Verdict.INCOMPLETE, 270)
    assert report.reasons == ("2025-01-01..2025-01-30: made INCOMPLETE by the test",)
    service.verdicts.clear()
    report = await run(service, FIRST, LAST, into)
    assert (report.verdict, len(service.asked)) == (Verdict.COMPLETE, 4)


async def test_an_unverified_window_is_done(into: str) -> None:
    service = Service(verdicts={FIRST: Verdict.UNVERIFIED}, profile=LATER)
    await run(service, FIRST, LAST, into)
    report = await run(service, FIRST, LAST, into)
    assert (report.verdict, len(service.asked)) == (Verdict.UNVERIFIED, 3)


async def test_a_target_that_is_not_there_yet_holds_nothing(into: str) -> None:
    report = await load_report(into)
    assert (report.verdict, report.windows) == (Verdict.INCOMPLETE, ())
    assert "no run of a backfill" in str(report)
    assert await stored(into) == []


async def test_a_row_that_cannot_be_encoded_is_put_aside_counted_and_named(into: str) -> None:
    rows = [invoice("1"), invoice("2", "lone \ud800"), invoice("3")]
    service = Service(rows_of=lambda _: rows, profile=Calendar(day=FIRST))
    for _ in range(2):
        report = await run(service, FIRST, FIRST, into)
        assert await invoices(into) == Counter([rows[0], rows[2]])
        assert (report.verdict, report.quarantined, report.records) == (Verdict.INCOMPLETE, 1, 2)
        assert "invoice 2" in report.reasons[0]
        assert "quarantine" in report.reasons[0]


async def test_a_window_larger_than_a_batch_is_written_in_pieces(into: str) -> None:
    rows = [invoice(str(number)) for number in range(4500)]
    service = Service(rows_of=lambda _: rows, page=700, profile=Calendar(day=FIRST))
    await run(service, FIRST, FIRST, into)
    report = await run(service, FIRST, FIRST, into)
    assert (report.records, report.windows[0].changed, len(await stored(into))) == (4500, 0, 4500)


async def test_rows_of_a_window_that_did_not_end_leave_nothing(into: str) -> None:
    rows = [invoice(str(number)) for number in range(4500)]
    service = Service(rows_of=lambda _: rows, fail_after=0, failure=ServerError("down", status=500))
    with pytest.raises(ServerError):
        await run(service, FIRST, FIRST, into)
    assert await stored(into) == []
    service.fail_after = None
    report: BackfillReport = await run(service, FIRST, FIRST, into)
    assert (report.records, len(await stored(into))) == (4500, 4500)


async def test_reading_stops_early_without_a_trace(into: str) -> None:
    await run(Service(), FIRST, LAST, into)
    records = open_target(into).records()
    assert (await anext(records)).account == ""
    await records.aclose()  # type: ignore[attr-defined]  # an async generator


def test_a_target_of_no_known_form_is_refused() -> None:
    for bad in ("x.csv", "", "x\0.jsonl", "jsonl", "mysql+aiomysql://host/db", "postgresql://host/db", "://"):
        with pytest.raises(ConfigurationError):
            open_target(bad)
    with pytest.raises(ConfigurationError, match="into must be"):
        open_target(7)  # type: ignore[arg-type]  # the point of the test


async def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    for name in ("a.jsonl", "a.sqlite", "a.parquet"):
        service = Service()
        with pytest.raises(TargetError, match="does not exist"):
            await run(service, FIRST, LAST, tmp_path / "missing" / name)
        with pytest.raises(TargetError, match="does not exist"):
            await run(service, FIRST, LAST, f"sqlite+aiosqlite:///{tmp_path}/missing/{name}")
        assert service.asked == []


async def test_another_account_is_refused_unless_the_target_is_shared(into: str) -> None:
    await run(Service(), FIRST, FIRST, into, account="one")
    with pytest.raises(CheckpointError, match="several accounts"):
        await run(Service(), FIRST, FIRST, into, account="two")
    assert set(await open_target(into).state()) == {"one"}
