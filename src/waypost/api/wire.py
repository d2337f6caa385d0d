"""From a request's bytes to raw parameters. Pure.

Clients send the same call as a query, a form, multipart or JSON, sometimes JSON under another
content type; where both are given, the body wins over the query. What cannot be read is code 5.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from waypost.refusal import Refused

#: Most fields of a query or form.
MAX_FIELDS = 1000

_decode = msgspec.json.Decoder().decode
_BOM = b"\xef\xbb\xbf"
_SPACE = b" \t\r\n"
_NOTHING: dict[str, Any] = {}

Raw = Mapping[str, Any]


class Upload(msgspec.Struct, frozen=True):
    """A file that came with a form."""

    name: str
    #: Media type, as its sender says.
    type: str
    content: bytes


def split_path(path: str) -> tuple[str, str]:
    """API (``user`` or ``panel``) and action of a path: ``/v2/panel/tracker/list/`` is
    ``("panel", "tracker/list")``."""
    path = path.strip("/")
    while "//" in path:
        path = path.replace("//", "/")
    first, _, rest = path.partition("/")
    if first in ("v2", "api-v2"):
        path = rest
        first, _, rest = path.partition("/")
    if first == "panel":
        return "panel", rest
    return "user", path


def read_query(query: bytes) -> Raw:
    """The parameters of a query string; of a repeated one the last."""
    return _read_form(query) if query else _NOTHING


def read_body(body: bytes, content_type: str) -> tuple[Raw, bool]:
    """The parameters of a body, and whether they are text (a form) rather than JSON."""
    if not body:
        return _NOTHING, True
    kind, _, options = content_type.partition(";")
    kind = kind.strip().lower()
    if kind == "multipart/form-data":
        return _read_multipart(body, options), True
    start = body.removeprefix(_BOM).lstrip(_SPACE)
    if start[:1] == b"{":
        # JSON under any content type: `curl -d '{...}'` says it is a form.
        return _read_json(start), False
    if kind == "application/json" or kind.endswith("+json"):
        if not start:
            return _NOTHING, True
        raise Refused(5)
    return _read_form(body.strip(_SPACE)), True


def _read_json(body: bytes) -> Raw:
    try:
        value = _decode(body)
        clean = b"\\u" not in body or is_clean(value)
    except (ValueError, RecursionError):
        raise Refused(5) from None
    if not clean or not isinstance(value, dict):
        raise Refused(5)
    return value


def _read_form(form: bytes) -> Raw:
    try:
        pairs = parse_qsl(
            form.decode(), keep_blank_values=True, errors="strict", max_num_fields=MAX_FIELDS
        )
    except ValueError:
        raise Refused(5) from None
    found = dict(pairs)
    if b"%00" in form or b"\0" in form:
        for text in found.values():
            if "\0" in text:
                raise Refused(5)
    return found


def _read_multipart(body: bytes, options: str) -> Raw:
    """Fields of multipart/form-data (RFC 7578): texts, and :class:`Upload` for files."""
    boundary = ""
    for option in options.split(";"):
        name, _, value = option.partition("=")
        if name.strip().lower() == "boundary":
            boundary = value.strip().strip('"')
    if not boundary or len(boundary) > 70:
        raise Refused(5)
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    if len(pieces) < 2 or len(pieces) > MAX_FIELDS or pieces[-1][:2] != b"--":
        raise Refused(5)
    found: dict[str, str | Upload] = {}
    for piece in pieces[1:-1]:
        head, separator, content = piece.partition(b"\r\n\r\n")
        field, file, kind = _describe(head)
        if not separator or field is None:
            raise Refused(5)
        if file is not None:
            found[field] = Upload(file, kind, content)
            continue
        try:
            text = content.decode()
        except UnicodeDecodeError:
            raise Refused(5) from None
        if "\0" in text:
            raise Refused(5)
        found[field] = text
    return found


def _describe(head: bytes) -> tuple[str | None, str | None, str]:
    """Name of a part, its file name where it is a file, and its media type."""
    name = file = None
    kind = "application/octet-stream"
    for line in head.split(b"\r\n"):
        field, _, value = line.partition(b":")
        text = value.decode("utf-8", "replace")
        if field.strip().lower() == b"content-disposition":
            for option in text.split(";")[1:]:
                key, _, option_value = option.strip().partition("=")
                if key.lower() == "name":
                    name = option_value.strip('"')
                elif key.lower() in ("filename", "filename*"):
                    file = option_value.strip('"')
        elif field.strip().lower() == b"content-type":
            kind = text.partition(";")[0].strip().lower()
    return name, file, kind


def is_clean(value: Any) -> bool:
    """Can all texts in it be stored: no NUL, no half of a surrogate pair?"""
    if isinstance(value, str):
        if "\0" in value:
            return False
        try:
            value.encode()
        except UnicodeEncodeError:
            return False
        return True
    if isinstance(value, dict):
        return all(is_clean(key) and is_clean(one) for key, one in value.items())
    if isinstance(value, list):
        return all(is_clean(one) for one in value)
    return True


def find_hash(query: Raw, body: Raw, authorization: str | None) -> str | None:
    """The session hash or API key that a call carries."""
    for source in (body, query):
        for name in ("hash", "session_key"):
            value = source.get(name)
            if value not in (None, "", "null"):
                return value if isinstance(value, str) else str(value)
    if authorization:
        scheme, _, value = authorization.strip().partition(" ")
        if scheme.upper() == "NVX":
            return value.strip()
    return None


def wants_iso(query: Raw, body: Raw, header: str | None) -> bool:
    """Does the call ask for ISO dates?"""
    for value in (body.get("iso_datetime"), query.get("iso_datetime"), header):
        if value is not None:
            return value is True or value == 1 or str(value).strip().lower() in ("true", "1")
    return False
