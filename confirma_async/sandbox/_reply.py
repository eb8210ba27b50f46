"""What is answered, before HTTP: a status, a body and its headers."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping

import attrs

JSON_TYPE = "application/json; charset=utf-8"


@attrs.frozen
class Reply:
    """One answer; `body` is what goes on the wire, compressed or not."""

    status: int
    body: bytes
    headers: Mapping[str, str] = attrs.field(factory=lambda: {"Content-Type": JSON_TYPE})

    def compressed(self) -> Reply:
        """The same answer under gzip."""
        return Reply(self.status, gzip.compress(self.body, 1, mtime=0), {**self.headers, "Content-Encoding": "gzip"})


def json_reply(status: int, content: Mapping[str, object]) -> Reply:
    """Answer with a JSON object."""
    return Reply(status, json.dumps(content, ensure_ascii=False).encode())


def refusal(status: int, message: str) -> Reply:
    """Answer with an error; the vendor's error bodies are unknown, this one is ours."""
    return json_reply(status, {"message": message})
