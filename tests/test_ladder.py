"""Imports go down only: no room knows the rooms above it, and nothing knows the faces."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import confirma_async

ROOT = Path(confirma_async.__file__).parent

LADDER = (
    {"_version"},
    {"errors", "_shown"},
    {"windows"},
    {"records", "reports"},
    {"events"},
    {"_checks", "_findings"},
    {"config"},
    {"_wire"},
    {"_transport"},
    {"_auth", "_retry", "_gate", "_connections"},
    {"_calls"},
    {"session"},
    {"paginator"},
    {"distributions"},
    {"backfill"},
    {"client"},
    {"sandbox"},
    {"reporting", "integrations"},
    {"cli"},
)
RUNG = {room: height for height, rooms in enumerate(LADDER) for room in rooms}
FACES = {"sandbox", "reporting", "integrations", "cli"}
MODULES = sorted(ROOT.rglob("*.py"))


def name_of(path: Path) -> tuple[str, ...]:
    """The place of a module inside the package, without the package's own name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


NAMES = {name_of(path) for path in MODULES}


class Imports(ast.NodeVisitor):
    """What a module imports from the package, at its top and inside functions, but not for type checkers alone."""

    def __init__(self, path: Path) -> None:
        self.found: list[tuple[tuple[str, ...], bool]] = []
        self._package = path.relative_to(ROOT).parent.parts
        self._inside = 0
        self.visit(ast.parse(path.read_text(encoding="utf-8")))

    def visit_If(self, node: ast.If) -> None:
        if "TYPE_CHECKING" not in ast.unparse(node.test):
            self.generic_visit(node)
            return
        for other in node.orelse:
            self.visit(other)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        self._inside += 1
        self.generic_visit(node)
        self._inside -= 1

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815  # the name that ast looks for

    def visit_Import(self, node: ast.Import) -> None:
        for each in node.names:
            parts = tuple(each.name.split("."))
            if parts[0] == "confirma_async":
                self._add(parts[1:])

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        parts = tuple((node.module or "").split(".")) if node.module else ()
        if node.level:
            base = self._package[: len(self._package) - node.level + 1]
        elif parts[:1] == ("confirma_async",):
            base, parts = (), parts[1:]
        else:
            return
        for each in node.names:
            whole = (*base, *parts, each.name)
            self._add(whole if whole in NAMES else (*base, *parts))

    def _add(self, target: tuple[str, ...]) -> None:
        self.found.append((target, self._inside > 0))


def imports() -> Iterator[tuple[tuple[str, ...], tuple[str, ...], bool]]:
    """Who imports whom, and whether only when a function runs."""
    for path in MODULES:
        for target, lazily in Imports(path).found:
            yield name_of(path), target, lazily


def test_every_room_has_its_place() -> None:
    assert {name[0] for name in NAMES if name} <= RUNG.keys()


def test_every_import_is_of_a_room_that_exists() -> None:
    assert {target for _, target, _ in imports() if target} <= NAMES


@pytest.mark.parametrize("room", sorted({name[0] for name in NAMES if name}))
def test_a_room_imports_only_rooms_below_it(room: str) -> None:
    upward = {
        f"{'.'.join(source)} imports {'.'.join(target)}"
        for source, target, _ in imports()
        if source[:1] == (room,) and target and target[0] != room and RUNG[target[0]] >= RUNG[room]
    }
    assert upward == set()


def test_nothing_below_imports_a_face() -> None:
    known = {target[0] for source, target, _ in imports() if target and (not source or source[0] not in FACES)}
    assert known & FACES == set()


def test_no_module_below_the_faces_imports_the_package_itself() -> None:
    assert {source for source, target, _ in imports() if not target and source and source[0] not in FACES} == set()


def test_the_package_itself_loads_neither_faces_nor_the_backfill() -> None:
    loaded = {target[0] for source, target, lazily in imports() if not source and target and not lazily}
    assert loaded & (FACES | {"backfill"}) == set()


def test_only_the_client_reaches_the_backfill_and_only_when_it_is_used() -> None:
    reaching = {
        (source[0] if source else "", lazily)
        for source, target, lazily in imports()
        if target[:1] == ("backfill",) and (not source or source[0] not in {"backfill", *FACES})
    }
    assert reaching == {("client", True)}


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[tuple[str, ...], set[tuple[str, ...]]] = {name: set() for name in NAMES}
    for source, target, lazily in imports():
        # A folder's own list of names stands above what it lists.
        if not lazily and source != target and target != source[: len(target)]:
            graph[source].add(target)
    TopologicalSorter(graph).prepare()
