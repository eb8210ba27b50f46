"""Pieces of HTML: everything that comes in is text, and leaves escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

Row = Sequence[str]

_UNBROKEN = 26


def text(value: str) -> str:
    """Return text that can stand anywhere between tags or in a quoted attribute."""
    return html.escape(value, quote=True)


def paragraph(value: str, *, kind: str = "quiet") -> str:
    """Return a paragraph."""
    return f'<p class="{kind}">{text(value)}</p>'


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return names and numbers as tiles."""
    tiles = "".join(f"<div><dt>{text(name)}</dt><dd>{text(value)}</dd></div>" for name, value in pairs)
    return f'<dl class="facts">{tiles}</dl>'


def table(caption: str, head: Row, rows: Iterable[Row], *, texts: int = 1) -> str:
    """Return a table whose first `texts` columns are text and the others numbers; it scrolls by itself."""
    tops = "".join(f'<th scope="col"{_kind(place, texts)}>{text(name)}</th>' for place, name in enumerate(head))
    body = "".join(f"<tr>{_cells(row, texts)}</tr>\n" for row in rows)
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{text(caption)}"><table>'
        f'<caption class="unseen">{text(caption)}</caption><thead><tr>{tops}</tr></thead>\n'
        f"<tbody>\n{body}</tbody></table></div>"
    )


def _cells(row: Row, texts: int) -> str:
    first = f'<th scope="row"{_kind(0, texts, row[0])}>{text(row[0])}</th>'
    return first + "".join(f"<td{_kind(place, texts, cell)}>{text(cell)}</td>" for place, cell in enumerate(row[1:], 1))


def _kind(place: int, texts: int, cell: str = "") -> str:
    """Numbers stand on the right; only long texts are broken into lines."""
    if place >= texts:
        return ' class="n"'
    return "" if len(cell) > _UNBROKEN else ' class="s"'


def folded(title: str, inside: str, *, unfolded: bool = False) -> str:
    """Return something that opens on a click."""
    return f"<details{' open' if unfolded else ''}><summary>{text(title)}</summary>{inside}</details>"


def chart(name: str, title: str, says: str, below: str, periods: Sequence[str] = ()) -> str:
    """Return the place of a chart: its title, what it shows in words, and its numbers below it."""
    buttons = "".join(
        f'<button type="button" data-period="{text(period)}" aria-pressed="false">by {text(period)}</button>'
        for period in periods
    )
    bars = f'<div class="periods" role="group" aria-label="width of a bar">{buttons}</div>' if len(periods) > 1 else ""
    return (
        f'<h3 id="{name}">{text(title)}</h3>{paragraph(says)}<figure aria-labelledby="{name}">{bars}'
        f'<div class="plot" role="img" aria-label="{text(f"{title}: {says}")}" data-chart="{name}"></div>'
        f"{below}</figure>"
    )


def no_chart(name: str, title: str, says: str) -> str:
    """Return what stands where there is nothing to draw."""
    return f'<h3 id="{name}">{text(title)}</h3>{paragraph(says, kind="empty")}'
