"""Colours and type of the charts, for a light and a dark page.

The hues follow the palette of Okabe and Ito, with lightness spread so that every pair stays apart under the
three dichromacies, neighbours most, and every bar has a contrast of 3 : 1 with its page. Colour is never the
only sign: wide bars carry patterns, and every chart has its numbers as a table.
"""

from __future__ import annotations

from typing import Any

import attrs

FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Liberation Sans', Arial, sans-serif"
PATTERNS = ("", "/", ".", "\\", "x", "-")
"""Patterns by place in a stack; the last is that of all others."""


@attrs.frozen
class Look:
    """One theme; `series` are the colours of a stack, the last is that of all others. `alarm`: of failures."""

    page: str
    ink: str
    quiet: str
    grid: str
    series: tuple[str, ...]
    alarm: str


LIGHT = Look(
    page="#ffffff",
    ink="#1b2127",
    quiet="#525c66",
    grid="#dfe3e8",
    series=("#1F7FC4", "#C77700", "#003B2A", "#A42B8C", "#65491A", "#8E949A"),
    alarm="#C8500A",
)
DARK = Look(
    page="#171c22",
    ink="#e8ecf0",
    quiet="#aab4be",
    grid="#323b45",
    series=("#2B8AE0", "#F5B000", "#A6F0D4", "#E838C8", "#B14A03", "#66727E"),
    alarm="#F2793B",
)
THEMES = {"light": LIGHT, "dark": DARK}


def template(look: Look) -> dict[str, Any]:
    """Return the plotly template of a theme."""
    import plotly.graph_objects as go  # type: ignore[import-untyped]  # plotly ships no types

    axis = {
        "gridcolor": look.grid,
        "linecolor": look.quiet,
        "zerolinecolor": look.quiet,
        "tickfont": {"color": look.ink},
        "title": {"font": {"color": look.quiet}},
        "automargin": True,
    }
    layout = go.Layout(
        paper_bgcolor=look.page,
        plot_bgcolor=look.page,
        font={"family": FONT, "size": 13, "color": look.ink},
        colorway=list(look.series),
        hoverlabel={"bgcolor": look.page, "bordercolor": look.quiet, "font": {"color": look.ink, "family": FONT}},
        legend={"font": {"color": look.ink}},
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": look.quiet, "activecolor": look.ink},
        xaxis=axis,
        yaxis=axis,
    )
    plain: dict[str, Any] = {"layout": layout.to_plotly_json()}
    return plain
