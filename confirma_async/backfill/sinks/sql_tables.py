"""The tables of `tables`, as SQLAlchemy knows them."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, Boolean, Column, Connection, Index, MetaData, Table, Text, inspect
from sqlalchemy.types import TypeEngine

from .tables import SHAPES, Shape

_TYPES: dict[str, type[TypeEngine[str]] | type[TypeEngine[int]] | type[TypeEngine[bool]]] = {
    "TEXT": Text,
    "INTEGER": BigInteger,
    "BOOLEAN": Boolean,
}
_metadata = MetaData()


def _table(shape: Shape) -> Table:
    columns = [
        Column(name, _TYPES[kind], primary_key=name in shape.key, nullable=name not in shape.key, autoincrement=False)
        for name, kind in shape.columns.items()
    ]
    table = Table(shape.name, _metadata, *columns)
    for name, indexed in shape.indexes.items():
        Index(name, *(table.c[column] for column in indexed))
    return table


TABLES = {shape.name: _table(shape) for shape in SHAPES}


def create_tables(connection: Connection) -> None:
    """Make those tables that are not there."""
    _metadata.create_all(connection, checkfirst=True)


def found_columns(connection: Connection) -> dict[str, list[str]]:
    """Return the columns of those tables that are there."""
    there = inspect(connection)
    return {name: _names(there.get_columns(name)) for name in TABLES if there.has_table(name)}


def _names(columns: Iterable[object]) -> list[str]:
    return [str(column["name"]) for column in columns if isinstance(column, dict)]
