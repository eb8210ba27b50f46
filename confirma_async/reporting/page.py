"""One page with everything in it: it opens from a disk, asks no network, and obeys nothing that the records say."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import os
from importlib.resources import files
from pathlib import Path

from ..backfill import Into, open_target
from ..backfill.sharing import undisturbed
from ..errors import ConfigurationError
from .markup import paragraph
from .output import replacing, require_extra, require_path
from .summary import Summary, summarize
from .wording import moment, named, visible

_VALUES = 12
_NOTHING = "'none'"


async def write_html(target: Into, path: str | os.PathLike[str], account: str | None = None) -> None:
    """Write the summary of a target as one self-contained page with charts.

    The page is about 5 MB, nearly all of it the plotting library; a Content-Security-Policy inside it allows
    no network and no script but its own. `path` must end in ``.html`` or ``.htm``; the file appears whole or
    not at all. Raises `ConfigurationError` for another ending or a missing extra before anything is read, and
    what `summarize` raises; `TargetError` where the file cannot be written.
    """
    place = require_path(path, (".html", ".htm"))
    require_extra("plotly", "report", "a page with charts")
    if open_target(target).target.key == str(place):
        raise ConfigurationError(f"{place}: this is the target itself: choose another name")
    summary = await summarize(target, account)
    await undisturbed(asyncio.to_thread(_write, summary, place))


def _write(summary: Summary, place: Path) -> None:
    with replacing(place) as file:
        file.write(page_of(summary).encode("utf-8", "replace"))


def page_of(summary: Summary) -> str:
    """Return the whole page."""
    import plotly.offline  # type: ignore[import-untyped]  # plotly ships no types

    from . import sections

    charts = _charts(summary)
    library, own = plotly.offline.get_plotlyjs(), _asset("page.js")
    scripts = (library, own) if charts else ()
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none';"
        f" script-src {' '.join(map(_fingerprint, scripts)) or _NOTHING}"
    )
    parts = (
        sections.verdict(summary),
        sections.counts(summary),
        "<h2>Proof, window by window</h2>",
        sections.windows(summary),
        "<h2>Delivery results</h2>",
        "<noscript><p>The charts need JavaScript; their numbers are in the tables.</p></noscript>" if charts else "",
        *(
            part(summary, charts)
            for part in (
                sections.volume,
                sections.status_and_method,
                sections.failures,
                sections.distribution_time,
                sections.hand_over,
            )
        ),
    )
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta name="referrer" content="no-referrer"><meta name="color-scheme" content="light dark">\n'
        f"<title>Distribution report: {summary.verdict}</title>\n<style>\n{_asset('page.css')}</style></head>\n"
        f"<body><main>\n{_head(summary)}\n"
        + "\n".join(parts)
        + f"\n</main>\n{_data(charts)}"
        + "".join(f"<script>{script}</script>\n" for script in scripts)
        + "</body></html>\n"
    )


def _head(summary: Summary) -> str:
    labels = [named(label) for label in summary.accounts if label]
    left = len(labels) - _VALUES
    accounts = ", ".join(labels[:_VALUES]) + (f" and {left:,} more" if left > 0 else "")
    lines = [f"Target: {visible(summary.target, 500)}"]
    if accounts:
        lines.append(f"{'Account' if len(labels) == 1 else 'Accounts'}: {accounts}")
    lines.append(f"Generated: {moment(summary.generated_at)}")
    return (
        "<header><h1>Distribution report</h1>"
        + "".join(paragraph(line, kind="quiet outside") for line in lines)
        + "</header>"
    )


def _charts(summary: Summary) -> dict[str, list[dict[str, object]]]:
    """Return the charts that there is something to draw for."""
    from . import charts
    from .sections import drawable

    results, days = summary.results, drawable(summary)
    drawn = {
        "volume": charts.volume(results, days) if days else [],
        "methods": charts.methods(results) if results.records else [],
        "failures": charts.failures(results) if results.errors else [],
        "durations": charts.durations(results) if results.distribution.known else [],
        "hand_over": charts.hand_over(days) if days else [],
    }
    return {name: plots for name, plots in drawn.items() if plots}


def _data(charts: dict[str, list[dict[str, object]]]) -> str:
    from .look import THEMES, template

    if not charts:
        return ""
    themes = {
        name: {"template": template(look), "series": look.series, "alarm": look.alarm, "page": look.page}
        for name, look in THEMES.items()
    }
    plain = json.dumps({"themes": themes, "charts": charts}, separators=(",", ":"), allow_nan=False)
    for one in "<>&":  # so that no text can end the element; the rest is ASCII
        plain = plain.replace(one, f"\\u{ord(one):04x}")
    return f'<script type="application/json" id="charts">{plain}</script>\n'


def _asset(name: str) -> str:
    return files("confirma_async.reporting").joinpath(name).read_text(encoding="utf-8")


def _fingerprint(script: str) -> str:
    """Return the source expression that allows exactly this script."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
