"""The renew endpoint's answer: which of its fields holds the new key is unknown, so it is read with suspicion."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from .._checks import Secret, require_key
from ..errors import ConfigurationError, ConfirmaError, KeyRenewalError, KeyStateUnknownError
from .reply import RawReply, decode_json, status_error
from .request import Request


def read_renewed_key(raw: RawReply, request: Request, key: Secret, field: str) -> Secret:
    """Return the new key.

    Raises `KeyRenewalError` where the service refused, so that the old key stands, and
    `KeyStateUnknownError` where it may have renewed and the new key cannot be told from the answer.
    """
    if raw.status == HTTPStatus.OK:
        return _find_key(_object(raw.body, key), key, field)
    error = status_error(raw, request, key)
    if HTTPStatus.BAD_REQUEST <= raw.status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise KeyRenewalError(f"the service refused to renew the key: {error}")
    raise KeyStateUnknownError(f"the key may have been renewed, but the answer does not hold it: {error}")


def _object(body: bytes, key: Secret) -> Mapping[str, object]:
    try:
        value = decode_json(body, key)
    except ConfirmaError:
        value = None
    if isinstance(value, Mapping):
        return value
    raise KeyStateUnknownError("the key may have been renewed, but the answer is not a JSON object")


def _find_key(fields: Mapping[str, object], old: Secret, field: str) -> Secret:
    found = [value for name, value in fields.items() if name.lower() == field.lower()]
    if len(found) == 1:
        try:
            new = require_key(found[0])
        except ConfigurationError:
            new = Secret()
        # A notice such as "Renewed" must not replace a key: what is much shorter than the old one is no key.
        if new != old and 2 * len(new) >= len(old):
            return new
    raise KeyStateUnknownError(
        f"the key may have been renewed, but field {field!r} of the answer does not look like a key:"
        " set ServiceProfile(renew_key_field=...)"
    )
