"""Records to plain dictionaries and back, with wire names, through cattrs."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

import attrs

from ..errors import ConfigurationError, ResponseDecodeError
from .timestamps import format_timestamp
from .tolerant import SHAPES, Broken, read_record, wire_names

if TYPE_CHECKING:
    import cattrs

_R = TypeVar("_R", bound=attrs.AttrsInstance)
_Unstructure = Callable[[attrs.AttrsInstance], dict[str, object]]


def _unstructure_fn(cls: type[attrs.AttrsInstance], converter: cattrs.Converter) -> _Unstructure:
    from cattrs.gen import make_dict_unstructure_fn, override  # see `_converter`

    overrides = {name: override(rename=wire) for name, wire in wire_names(cls).items()}
    overrides |= {name: override(omit=True) for name in ("extra", "absent") if name in attrs.fields_dict(cls)}
    plain = make_dict_unstructure_fn(cls, converter, **overrides)  # type: ignore[arg-type]  # names of ours, none of its options

    def unstructure(record: attrs.AttrsInstance) -> dict[str, object]:
        fields: dict[str, object] = plain(record)
        for name in getattr(record, "absent", ()):
            fields[name] = None
        extra = getattr(record, "extra")  # noqa: B009  # a field of every record, which AttrsInstance does not name
        if extra:
            fields.update(copy.deepcopy(dict(extra)))  # what is inside stays the record's own
        return fields

    return unstructure


def _structure(value: object, cls: type[_R]) -> _R:
    return read_record(cls, value)


@functools.cache
def _converter() -> cattrs.Converter:
    """Return the converter; made when first used, since importing the package must stay cheap."""
    import cattrs  # as above

    converter = cattrs.Converter(unstruct_collection_overrides={tuple: list})
    converter.register_unstructure_hook(datetime, format_timestamp)
    for cls in SHAPES:
        converter.register_unstructure_hook(cls, _unstructure_fn(cls, converter))
        converter.register_structure_hook(cls, _structure)
    return converter


def to_dict(record: attrs.AttrsInstance) -> dict[str, object]:
    """Return a record as a JSON-ready dictionary with the wire's names.

    Identifiers are text, instants ISO 8601 in UTC, absent fields null, unknown fields as they came.
    """
    if type(record) not in SHAPES:
        raise ConfigurationError(f"to_dict takes a record, not {type(record).__name__}")
    plain: dict[str, object] = _converter().unstructure(record)
    return plain


def from_dict(cls: type[_R], mapping: Mapping[str, object]) -> _R:
    """Return the record that `to_dict` made the mapping of, or that the service would send as such.

    Nothing is coerced: raises `ResponseDecodeError` naming the place of a value that does not fit.
    """
    if cls not in SHAPES:
        raise ConfigurationError(f"from_dict makes records, not {getattr(cls, '__name__', cls)}")
    try:
        return _converter().structure(copy.deepcopy(dict(mapping)) if isinstance(mapping, Mapping) else mapping, cls)
    except Broken as fault:
        path, problem = fault.path, fault.problem
    raise ResponseDecodeError(f"{path or 'the record'}: {problem}", path=path)
