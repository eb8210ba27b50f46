"""The colours of the charts, measured: for every reader, on a light page and on a dark one."""

from __future__ import annotations

import itertools
import math

import pytest

from confirma_async.reporting.look import THEMES, Look


@pytest.mark.parametrize("look", [*THEMES.values()], ids=[*THEMES])
def test_every_colour_stands_out_from_its_page_and_from_the_others(look: Look) -> None:
    colours, page = look.series, look.page
    assert min(contrast(colour, page) for colour in colours) >= 3
    for kind in DICHROMACIES:
        pairs = itertools.combinations((seen(colour, kind) for colour in colours), 2)
        assert min(distance(*pair) for pair in pairs) > 0.08
        neighbours = itertools.pairwise(seen(colour, kind) for colour in colours)
        assert min(distance(*pair) for pair in neighbours) > 0.12


# Machado, Oliveira and Fernandes (2009), severity 1.0, on linear RGB
DICHROMACIES = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}


def linear(colour: str) -> list[float]:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    return [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    lights = sorted(
        sum(part * way for part, way in zip(linear(c), (0.2126, 0.7152, 0.0722), strict=True)) for c in (one, other)
    )
    return (lights[1] + 0.05) / (lights[0] + 0.05)


def seen(colour: str, kind: str) -> list[float]:
    """Return a colour in Oklab as somebody with that dichromacy sees it."""
    red, green, blue = (
        min(1.0, max(0.0, sum(part * way for part, way in zip(linear(colour), row, strict=True))))
        for row in DICHROMACIES[kind]
    )
    lms = (
        (0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue) ** (1 / 3),
        (0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue) ** (1 / 3),
        (0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue) ** (1 / 3),
    )
    rows = (
        (0.2104542553, 0.793617785, -0.0040720468),
        (1.9779984951, -2.428592205, 0.4505937099),
        (0.0259040371, 0.7827717662, -0.808675766),
    )
    return [sum(part * way for part, way in zip(lms, row, strict=True)) for row in rows]


def distance(one: list[float], other: list[float]) -> float:
    return math.dist(one, other)
