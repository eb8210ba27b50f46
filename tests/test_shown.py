"""Values are shown as attrs would show them."""

from __future__ import annotations

from datetime import date

import attrs
import pytest

import confirma_async
from confirma_async import DateWindow, DistributionFile, KeyRenewed, from_dict

VALUES = sorted(name for name in confirma_async.__all__ if attrs.has(getattr(confirma_async, name)))


@pytest.mark.parametrize("name", VALUES)
def test_a_value_shows_what_attrs_would_show(name: str) -> None:
    cls = getattr(confirma_async, name)
    fields = attrs.fields(cls)
    by_attrs = attrs.make_class(name, {field.name: attrs.field(repr=field.repr) for field in fields})
    content = {field.name: field.name if field.default is attrs.NOTHING else field.default for field in fields}
    value = object.__new__(cls)
    for field, given in content.items():  # past the checks: any content will do
        object.__setattr__(value, field, given)
    assert repr(value) == repr(by_attrs(**content))


def test_a_window_shows_its_days() -> None:
    shown = "DateWindow(start=datetime.date(2025, 1, 1), end=datetime.date(2025, 1, 31))"
    assert repr(DateWindow(date(2025, 1, 1), date(2025, 1, 31))) == shown


def test_a_value_without_fields_shows_its_name() -> None:
    assert repr(KeyRenewed()) == "KeyRenewed()"


def test_a_field_is_shown_in_its_own_way() -> None:
    file = from_dict(DistributionFile, {"url": "u", "b": "private", "a": 1})
    assert repr(file) == "DistributionFile(url='u', extra=<a, b>)"


def test_a_subclass_made_in_a_function_shows_its_bare_name() -> None:
    class Renewed(KeyRenewed):
        pass

    assert repr(Renewed()) == "Renewed()"


@pytest.mark.parametrize("name", VALUES)
def test_no_value_has_a_method_compiled_to_show_it(name: str) -> None:
    assert getattr(confirma_async, name).__repr__.__module__ == "confirma_async._shown"
