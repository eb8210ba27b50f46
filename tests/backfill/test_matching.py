"""Which stored row an incoming row is a later state of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from confirma_async.backfill.sinks.matching import Fate, Known, Row, by_family, family_of, settle, tally
from confirma_async.records import InvoiceDistribution

from .fakes import invoice


def rows(*records: InvoiceDistribution) -> list[Row]:
    return [Row.of(record) for record in records]


def read(families: dict[str, list[Known]], *records: InvoiceDistribution, window: str = "w1") -> list[Fate]:
    """One reading of a window over what is known."""
    for known in families.values():
        for row in known:
            row.taken = False
    return [placed.fate for placed in settle(rows(*records), families, window, "now")]


def test_a_later_state_replaces_and_the_same_state_changes_nothing() -> None:
    families: dict[str, list[Known]] = {}
    assert read(families, invoice("1", "NEW")) == [Fate.ADDED]
    assert read(families, invoice("1", "NEW")) == [Fate.UNCHANGED]
    assert read(families, invoice("1", "SENT")) == [Fate.CHANGED]
    assert read(families, invoice("1", "SENT")) == [Fate.UNCHANGED]


def test_rows_of_one_number_that_differ_are_both_kept_in_whatever_order_they_come() -> None:
    families: dict[str, list[Known]] = {}
    assert read(families, invoice("1", "A"), invoice("1", "B")) == [Fate.ADDED, Fate.ADDED]
    assert read(families, invoice("1", "B"), invoice("1", "A")) == [Fate.UNCHANGED, Fate.UNCHANGED]
    assert read(families, invoice("1", "C"), invoice("1", "A")) == [Fate.CHANGED, Fate.UNCHANGED]
    assert [known.key for known in families["0:1"]] == ["0:1", "1:1"]


def test_a_null_case_id_is_no_change() -> None:
    families: dict[str, list[Known]] = {}
    read(families, invoice("1", case_id="C1"))
    assert read(families, invoice("1")) == [Fate.UNCHANGED]
    assert read(families, invoice("1", "PAID")) == [Fate.CHANGED]
    assert families["0:1"][0].case_id == "C1"


def test_of_several_rows_the_one_with_the_same_case_id_is_replaced() -> None:
    families: dict[str, list[Known]] = {}
    read(families, invoice("1", "A", case_id="C1"), invoice("1", "B", case_id="C2"))
    for known in families["0:1"]:
        known.taken = False
    (placed,) = settle(rows(invoice("1", "D", case_id="C2")), families, "w1", "now")
    assert (placed.fate, placed.known.key) == (Fate.CHANGED, "1:1")


def test_a_row_of_another_window_is_not_replaced_and_not_doubled() -> None:
    families: dict[str, list[Known]] = {}
    read(families, invoice("1", "A"), window="w1")
    assert read(families, invoice("1", "A"), window="w2") == [Fate.DUPLICATE]
    assert read(families, invoice("1", "B"), window="w2") == [Fate.ADDED]


def test_a_row_without_a_number_is_its_content() -> None:
    families: dict[str, list[Known]] = {}
    assert read(families, invoice(None, "A"), invoice(None, "B")) == [Fate.ADDED, Fate.ADDED]
    assert read(families, invoice(None, "A")) == [Fate.UNCHANGED]
    assert read(families, invoice(None, "C")) == [Fate.ADDED]


def test_keys_name_their_family() -> None:
    families = by_family(Known(key, "f", None, "w", "t") for key in ("10:a:b", "2:a:b", "0:a:b", "null:ff"))
    assert [known.key for known in families["0:a:b"]] == ["0:a:b", "2:a:b", "10:a:b"]
    assert family_of("null:ff") == "null:ff"


readings = st.lists(
    st.lists(st.tuples(st.sampled_from("12"), st.sampled_from("ABC")), max_size=6, unique=True), min_size=1, max_size=4
)


@given(readings)
def test_after_any_readings_every_row_of_the_last_one_is_there_exactly_once(
    history: list[list[tuple[str, str]]],
) -> None:
    families: dict[str, list[Known]] = {}
    for reading in history:
        fates = read(families, *(invoice(number, status) for number, status in reading))
        assert Fate.DUPLICATE not in fates
    held = [known.fingerprint for family in families.values() for known in family]
    for number, status in history[-1]:
        assert held.count(Row.of(invoice(number, status)).fingerprint) == 1
    for number in "12":
        most = max(sum(one == number for one, _ in reading) for reading in history)
        assert len(families.get(f"0:{number}", [])) == most


def test_a_tally_counts_fates() -> None:
    families: dict[str, list[Known]] = {}
    placed = settle(rows(invoice("1"), invoice("2"), invoice("1")), families, "w", "now")
    assert (tally(placed).added, tally(placed).duplicates, tally(placed).stored) == (2, 1, 2)
