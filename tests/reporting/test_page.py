"""The page, looked at in a real browser: it opens offline, shows what is there, and obeys nothing it shows."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import attrs
import pytest

from confirma_async.errors import ConfigurationError
from confirma_async.records import (
    DistributionDates,
    DistributionError,
    DistributionFile,
    InvoiceDistribution,
    PaymentControl,
)
from confirma_async.reporting import write_html
from confirma_async.reporting.look import THEMES
from confirma_async.reports import Verdict

from .browser import Browser, chromium
from .targets import Window, invoice, stored

pytestmark = pytest.mark.timeout(180)

CHARTS = ["volume", "methods", "failures", "durations", "hand_over"]
EVIL = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1><b>\"'&lt;%{x}${alert(1)}"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for all pages."""
    with chromium() as started:
        yield started


def year(of: int = 365) -> list[Window]:
    """Return a year of invoices in windows of 30 days, with failures, cases and one doubt."""
    first, windows = date(2025, 1, 1), []
    for start in range(0, of, 30):
        days = [first + timedelta(day) for day in range(start, min(start + 30, of))]
        records = [record for day in days for record in day_of(day)]
        verdict = Verdict.UNVERIFIED if start == 60 else Verdict.COMPLETE
        windows.append(Window(days[0], days[-1], records, verdict, without_total=start == 60))
    return windows


def day_of(day: date) -> Iterator[InvoiceDistribution]:
    for place in range(2 + day.day % 5):
        created = datetime(day.year, day.month, day.day, 8, place, tzinfo=UTC)
        number, failed = f"{day:%Y%m%d}{place}", place % 4 == 3
        control = PaymentControl(True, "CashIn", "ACTIVE", number) if place == 1 else PaymentControl(place == 0)
        yield invoice(
            number,
            "FAILED" if failed else "DISTRIBUTED",
            ["EMAIL", "PRINT", "EINVOICE"][place % 3],
            created=created,
            took=None if failed else timedelta(hours=7 * place + 0.5),
            codes=(f"CODE_{day.month % 3}",) if failed else (),
            control=control,
        )


async def page_of(folder: Path, windows: Sequence[Window]) -> Path:
    """Write the page of a target with those windows."""
    page = folder / "report.html"
    await write_html(await stored(folder / "x.sqlite", windows), page)
    return page


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
async def test_it_opens_offline_fits_and_complains_of_nothing(
    tmp_path: Path, browser: Browser, width: int, theme: str
) -> None:
    page = await page_of(tmp_path, year())
    browser.show(page, width=width, theme=theme)
    assert browser.console == []
    assert browser.asked == {page.as_uri()}
    assert browser.ask("[...document.querySelectorAll('.plot .main-svg:first-child')].length") == len(CHARTS)
    assert browser.ask("document.documentElement.scrollWidth <= innerWidth")
    outside = "[...document.querySelectorAll('.plot svg text')].filter(one => { const b = one.getBoundingClientRect();"
    outside += f" return b.width && (b.left < 0 || b.right > {width}); }}).map(one => one.textContent)"
    assert browser.ask(outside) == []
    look = THEMES[theme]
    assert browser.ask("getComputedStyle(document.body).backgroundColor") == rgb(look.page)
    assert browser.ask("getComputedStyle(document.querySelector('.plot text')).fill") == rgb(look.ink)
    assert browser.ask("getComputedStyle(document.querySelector('[data-chart=failures] .point path')).fill") == rgb(
        look.alarm
    )


def rgb(colour: str) -> str:
    return f"rgb({', '.join(str(int(colour[place : place + 2], 16)) for place in (1, 3, 5))})"


async def test_charts_are_labelled_begin_at_zero_and_hold_the_numbers(tmp_path: Path, browser: Browser) -> None:
    browser.show(await page_of(tmp_path, year()))
    for name in CHARTS:
        axis = "yaxis" if name in {"volume", "hand_over"} else "xaxis"
        layout = browser.ask(f"document.querySelector('[data-chart={name}]')._fullLayout.{axis}.range")
        assert layout[0] == 0
        title = browser.ask(f"document.querySelector('[data-chart={name}]')._fullLayout.{axis}.title.text")
        assert title in {"records per day", "records", "errors"}
    drawn = "document.querySelector('[data-chart=volume]').data.flatMap(one => one.y).reduce((a, b) => a + b)"
    assert browser.ask(drawn) == sum(len(window.records) for window in year())
    for name in CHARTS:
        place = f"document.querySelector('[data-chart={name}]')"
        assert browser.ask(f"{place}.getAttribute('role') == 'img' && {place}.getAttribute('aria-label').length > 40")
        assert browser.ask(f"{place}.parentElement.querySelectorAll('details table').length") > 0


async def test_bars_too_thin_to_see_become_weeks_and_the_reader_may_choose(tmp_path: Path, browser: Browser) -> None:
    page = await page_of(tmp_path, year())
    pressed = (
        "document.querySelector('[data-chart=volume]').parentElement.querySelector('[aria-pressed=true]').textContent"
    )
    browser.show(page, width=1280)
    assert browser.ask(pressed) == "by day"
    browser.show(page, width=390)
    assert browser.ask(pressed) == "by week"
    browser.driver.execute_script(
        "document.querySelector('[data-chart=volume]').parentElement.querySelector('[data-period=month]').click()"
    )
    assert browser.ask(pressed) == "by month"
    assert (
        browser.ask("document.querySelector('[data-chart=volume]')._fullLayout.yaxis.title.text") == "records per month"
    )
    assert browser.console == []


async def test_the_charts_follow_a_change_of_theme_and_print_light(tmp_path: Path, browser: Browser) -> None:
    browser.show(await page_of(tmp_path, year()), theme="dark")
    colour = "document.querySelector('.plot').layout.template.layout.paper_bgcolor"
    assert browser.ask(colour) == THEMES["dark"].page
    browser.driver.execute_script("window.dispatchEvent(new Event('beforeprint'))")
    assert browser.ask(colour) == THEMES["light"].page
    browser.driver.execute_script("window.dispatchEvent(new Event('afterprint'))")
    assert browser.ask(colour) == THEMES["dark"].page
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "light"}])
    browser.wait_for(f"{colour} == '{THEMES['light'].page}'")


async def test_nothing_that_the_records_say_is_obeyed(tmp_path: Path, browser: Browser) -> None:
    record = InvoiceDistribution(
        invoice_number=EVIL,
        distribution_status=EVIL,
        distribution_method=EVIL,
        distribution_message=EVIL,
        dates=DistributionDates(datetime(2025, 1, 1, tzinfo=UTC), None, datetime(2025, 1, 2, tzinfo=UTC)),
        file=DistributionFile("javascript:window.hacked=1"),
        payment_control=PaymentControl(True, EVIL, EVIL, EVIL),
        errors=(DistributionError(EVIL, EVIL, EVIL),),
    )
    window = Window(date(2025, 1, 1), date(2025, 1, 30), [record], Verdict.INCOMPLETE, (EVIL,), promised=2)
    target = await stored(tmp_path / "x.sqlite", [window], EVIL)
    page = tmp_path / "report.html"
    await write_html(target, page)
    browser.show(page)
    assert browser.ask("window.hacked") is None
    assert browser.console == []
    assert browser.asked == {page.as_uri()}
    assert browser.ask("document.querySelectorAll('main img, main b, main a, main script').length") == 0
    assert "</script><script>window" in browser.ask("document.querySelector('[data-chart=methods]').textContent")
    assert EVIL in browser.ask("document.querySelector('.verdict').textContent")


async def test_what_is_empty_says_so(tmp_path: Path, browser: Browser) -> None:
    window = Window(date(2025, 1, 1), date(2025, 1, 30), [invoice()])
    browser.show(await page_of(tmp_path, [window]))
    texts = browser.ask("[...document.querySelectorAll('.empty')].map(one => one.textContent)")
    assert texts == [
        "No failures: no record carries an error.",
        "No record has both a creation and a distribution time.",
    ]
    assert browser.ask("[...document.querySelectorAll('.plot')].length") == 3
    assert browser.console == []


async def test_a_target_without_records_gives_a_page_without_charts(tmp_path: Path, browser: Browser) -> None:
    page = tmp_path / "report.html"
    await write_html(tmp_path / "nothing.sqlite", page)
    browser.show(page)
    assert "INCOMPLETE" in browser.ask("document.querySelector('.verdict').textContent")
    assert browser.ask("document.querySelectorAll('script').length") == 0
    assert browser.console == []
    assert page.stat().st_size < 20_000


async def test_the_verdict_stands_on_top_as_of_each_windows_fetch_time(tmp_path: Path, browser: Browser) -> None:
    browser.show(await page_of(tmp_path, year()))
    said = browser.ask("document.querySelector('.verdict').textContent")
    assert "UNVERIFIED" in said
    assert "As of each window's fetch time: 2026-01-02 03:04:05 UTC to" in said
    assert "2025-03-02..2025-03-31" in said
    assert "Generated: 20" in browser.ask("document.querySelector('header').textContent")


async def test_thousands_of_windows_are_gathered_by_year(tmp_path: Path, browser: Browser) -> None:
    first = date(2010, 1, 1)
    windows = [Window(first + timedelta(day), first + timedelta(day)) for day in range(3000)]
    windows[1000] = attrs.evolve(windows[1000], verdict=Verdict.INCOMPLETE, reasons=("cut",), promised=9)
    browser.show(await page_of(tmp_path, windows))
    assert browser.ask("document.querySelectorAll('table')[0].rows.length") == 1 + 9
    assert browser.ask("document.querySelectorAll('table')[1].rows.length") == 1 + 1
    assert browser.console == []


async def test_a_day_far_outside_is_told_and_does_not_squeeze_the_others(tmp_path: Path, browser: Browser) -> None:
    windows = year(30)
    stray = invoice("stray", created=datetime(1970, 1, 1, tzinfo=UTC))
    windows[0] = attrs.evolve(windows[0], records=[*windows[0].records, stray])
    browser.show(await page_of(tmp_path, windows))
    first = browser.ask("document.querySelector('[data-chart=volume]')._fullLayout.xaxis.range[0]")
    assert first.startswith(("2024-12-31", "2025-01-01"))
    assert "Not drawn: 1 record created more than a year outside" in browser.ask("document.body.textContent")


class _Places(HTMLParser):
    """Collects what a page could fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.fetched += [f"{tag} {name}" for name, _ in attrs if name in {"src", "href", "srcset", "action"}]


async def test_the_page_refers_to_nothing_and_allows_only_its_own_scripts(tmp_path: Path) -> None:
    page = (await page_of(tmp_path, year(60))).read_text("utf-8")
    places = _Places()
    places.feed(page)
    assert places.fetched == []
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'")
    assert "'unsafe-inline'" not in policy[1].partition("script-src")[2]
    assert len(page) < 6_000_000


@pytest.mark.parametrize("name", ["report.pdf", "report", "x.sqlite"])
async def test_another_ending_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=r"must end in \.html or \.htm"):
        await write_html(tmp_path / "x.sqlite", tmp_path / name)


async def test_a_missing_extra_is_told_before_anything_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "plotly", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'confirma-async\[report\]'"):
        await write_html(tmp_path / "nothing.sqlite", tmp_path / "report.html")
    assert not (tmp_path / "report.html").exists()
