"""From what a client sent to an action's typed arguments.

A parameter arrives as text (query, form) or as JSON (body). Either way numbers may be strings,
booleans ``true``, ``false``, ``1``, ``0``, arrays and objects JSON in a string; the text ``null``
and an empty text are null. A null optional parameter is an absent one.
"""

from __future__ import annotations

import inspect
import math
import re
import types
import typing
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, tzinfo
from typing import Annotated, Any, NewType, get_args, get_origin

import msgspec

from waypost.api.wire import Upload, is_clean
from waypost.refusal import Refused
from waypost.text import END

Moment = NewType("Moment", int)
"""A parameter that is a date and time: arrives as ``yyyy-MM-dd HH:mm:ss`` in the caller's zone, or
ISO with offset; the action gets milliseconds since 1970 UTC."""

#: Addresses that the reply to an upload may be sent to.
TARGET = r"^https?://[^\s\x00-\x1f]+" + END

RedirectTarget = Annotated[str, msgspec.Meta(max_length=2000, pattern=TARGET)]
"""Parameter ``redirect_target`` of an upload: the browser is sent there, with the reply as its
parameter ``response``."""

EmptyText = Annotated[str, msgspec.Meta(extra={"empty": True})]
"""A text for which empty is a value, not an absence: ``Annotated[EmptyText, Meta(...)]``."""

INT_MIN, INT_MAX = -(2**63), 2**63 - 1
Int = Annotated[int, msgspec.Meta(ge=INT_MIN, le=INT_MAX)]
"""An integer that fits a database column. Plain ``int`` parameters are bounded so by themselves;
fields of struct parameters must say ``Int`` or a narrower range."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_MOMENT = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)\s?(Z|[+-]\d{2}:?\d{2})?)?"
)
#: A list of bare words, as the documents write that of model codes: ``[tt1, telfmb920]``.
_WORDS = re.compile(r"\s*\[\s*([A-Za-z_][\w.-]*(?:\s*,\s*[A-Za-z_][\w.-]*)*)\s*\]\s*")
_PLACE = re.compile(r" - at `(?:key in )?\$(.*)`$")
_MISSING_FIELD = re.compile(r"Object missing required field `(.+)`")
_MISSING = object()

decode_json = msgspec.json.Decoder().decode


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """One parameter of an action, ready to bind."""

    #: As on the wire.
    name: str
    #: As in the function (``from_``).
    argument: str
    type: Any
    required: bool
    default: Any
    #: A struct, list or mapping: may come as JSON in a string.
    structured: bool
    moment: bool
    text: bool
    nullable: bool
    keep_empty: bool
    #: A list of texts, which may be bare words.
    words: bool = False
    #: A file of a multipart form; whatever else comes under its name is none.
    upload: bool = False

    def bind(self, raw: Any, from_text: bool, zone: tzinfo) -> Any:
        """The value for the action. Raises ValueError (with a text for the client), or
        msgspec.ValidationError."""
        if isinstance(raw, str) and not (self.text and not from_text) and raw in ("", "null"):
            # In JSON a text parameter means what it says; elsewhere these are null.
            raw = "" if raw == "" and self.keep_empty else None
        if self.upload and not isinstance(raw, Upload):
            raw = None
        if raw is None:
            if not self.required:
                return self.default
            if self.nullable:
                return None
            raise ValueError("must not be null")
        if self.upload:
            return raw
        if self.moment:
            return parse_moment(raw, zone)
        if self.text:
            if isinstance(raw, int | float) and not isinstance(raw, bool):
                raw = str(raw)
        elif self.structured and isinstance(raw, str):
            words = _WORDS.fullmatch(raw) if self.words else None
            raw = _decode_text(raw) if words is None else re.split(r"\s*,\s*", words[1])
        try:
            value = msgspec.convert(raw, self.type, strict=False)
        except msgspec.ValidationError:
            if not self.structured:
                raise
            value = msgspec.convert(_numbers_as_text(raw, self.type), self.type, strict=False)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError("must be a finite number")
        return value


def _numbers_as_text(value: Any, hint: Any) -> Any:
    """Turns numbers into texts where ``hint`` has text: clients write ``"post_index": 90001``."""
    bare = _strip(hint)[0]
    origin = get_origin(bare) or bare
    if bare is str:
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return str(value) if is_number else value
    if origin is list and isinstance(value, list) and get_args(bare):
        return [_numbers_as_text(one, get_args(bare)[0]) for one in value]
    if isinstance(origin, type) and issubclass(origin, msgspec.Struct) and isinstance(value, dict):
        types_ = {field.encode_name: field.type for field in msgspec.structs.fields(bare)}
        return {
            name: _numbers_as_text(one, types_[name]) if name in types_ else one
            for name, one in value.items()
        }
    return value


def _decode_text(text: str) -> Any:
    try:
        value = decode_json(text)
        clean = "\\u" not in text or is_clean(value)
    except (ValueError, RecursionError):
        raise ValueError("is not valid JSON") from None
    if not clean:
        raise ValueError("has characters that cannot be")
    return value


def parse_moment(raw: Any, zone: tzinfo) -> int:
    """Milliseconds since 1970 UTC of a date and time as clients write it; without an offset it is
    in ``zone``. Raises ValueError."""
    found = _MOMENT.fullmatch(raw.strip()) if isinstance(raw, str) else None
    if found is None:
        raise ValueError("must be a date and time like 2021-05-20 13:49:09")
    day, clock, offset = found.groups()
    try:
        moment = datetime.combine(
            date.fromisoformat(day), time.fromisoformat((clock or "00:00") + (offset or ""))
        )
    except ValueError:
        raise ValueError("is not a possible date and time") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    try:
        return int((moment - EPOCH).total_seconds()) * 1000 + moment.microsecond // 1000
    except OverflowError:
        raise ValueError("is not a possible date and time") from None


class Signature(msgspec.Struct, frozen=True, kw_only=True):
    """What a function declares: its parameters and what it returns."""

    parameters: tuple[Parameter, ...]
    returns: Any

    def bind(
        self, query: Mapping[str, Any], body: Mapping[str, Any], body_is_text: bool, zone: tzinfo
    ) -> dict[str, Any]:
        """Arguments by name; the body wins over the query. Raises :class:`Refused` with code 7 that
        names every wrong parameter."""
        arguments: dict[str, Any] = {}
        errors: list[dict[str, str]] | None = None
        for parameter in self.parameters:
            name = parameter.name
            from_text = body_is_text
            raw = body.get(name, _MISSING)
            if raw is _MISSING:
                raw = query.get(name, _MISSING)
                from_text = True
                if raw is _MISSING:
                    if parameter.required:
                        errors = errors or []
                        errors.append({"parameter": name, "error": "is required"})
                    else:
                        arguments[parameter.argument] = parameter.default
                    continue
            try:
                arguments[parameter.argument] = parameter.bind(raw, from_text, zone)
            except msgspec.ValidationError as error:
                errors = errors or []
                errors.append(explain(name, str(error)))
            except ValueError as error:
                errors = errors or []
                errors.append({"parameter": name, "error": str(error)})
        if errors:
            raise Refused(7, errors=errors)
        return arguments


def explain(name: str, text: str) -> dict[str, str]:
    """A validation text of msgspec with its place folded into the parameter's name."""
    place = _PLACE.search(text)
    if place:
        text = text[: place.start()]
        name += place.group(1).replace("[...]", "[]")
    missing = _MISSING_FIELD.fullmatch(text)
    if missing:
        return {"parameter": f"{name}.{missing.group(1)}".lstrip("."), "error": "is required"}
    return {"parameter": name, "error": text.replace("`", "'")}


def read_signature(function: Callable[..., Any], *, injected: frozenset[str]) -> Signature:
    """Reads the annotations of an action. Its first argument is the call; ``injected`` ones are not
    bound from the request. Raises TypeError for a declaration that cannot be bound safely."""
    hints = typing.get_type_hints(function, include_extras=True)
    parameters = []
    for index, (name, declared) in enumerate(inspect.signature(function).parameters.items()):
        if index == 0 or name in injected:
            continue
        if name not in hints:
            raise TypeError(f"{function.__qualname__}: parameter {name} has no type")
        parameters.append(
            _parameter(name, hints[name], declared.default, f"{function.__qualname__}({name})")
        )
    return Signature(parameters=tuple(parameters), returns=hints.get("return"))


def _parameter(name: str, hint: Any, default: Any, place: str) -> Parameter:
    required = default is inspect.Parameter.empty
    bare, nullable, keep_empty = _strip(hint)
    moment = bare is Moment
    bounded = int if moment else _bounded(hint, place)
    return Parameter(
        name=name.rstrip("_"),
        argument=name,
        type=bounded,
        required=required,
        default=None if required else default,
        structured=not moment and bare is not Upload and _is_structured(bare),
        moment=moment,
        text=bare is str,
        nullable=nullable,
        keep_empty=keep_empty,
        words=get_origin(bare) is list and _strip(get_args(bare)[0])[0] is str,
        upload=bare is Upload,
    )


def _strip(hint: Any) -> tuple[Any, bool, bool]:
    """The type without annotations and None; may it be None; is empty text a value."""
    keep = False
    nullable = False
    while True:
        if get_origin(hint) is Annotated:
            hint, *notes = get_args(hint)
            keep = keep or any(
                isinstance(note, msgspec.Meta) and (note.extra or {}).get("empty") for note in notes
            )
        elif get_origin(hint) in (typing.Union, types.UnionType):
            nullable = nullable or type(None) in get_args(hint)
            options = [one for one in get_args(hint) if one not in (type(None), msgspec.UnsetType)]
            if len(options) > 1:
                return hint, nullable, keep
            hint = options[0]
        else:
            return hint, nullable, keep


def _is_structured(bare: Any) -> bool:
    if get_origin(bare) in (typing.Union, types.UnionType):
        return any(_is_structured(_strip(one)[0]) for one in get_args(bare))
    origin = get_origin(bare) or bare
    if origin is Any:
        return True
    return isinstance(origin, type) and (
        issubclass(origin, list | tuple | set | frozenset | Mapping | msgspec.Struct)
    )


def _bounded(hint: Any, place: str) -> Any:
    """The type with every plain ``int`` held to 64 bits. Raises TypeError where a struct's field
    is not: the field must say so itself."""
    if hint is int:
        return Int
    origin = get_origin(hint)
    if origin is Annotated:
        inner, *notes = get_args(hint)
        if inner is int:
            metas = [note for note in notes if isinstance(note, msgspec.Meta)]
            if any(meta.le is not None or meta.lt is not None for meta in metas):
                return hint
            return Annotated[(inner, *notes, msgspec.Meta(le=INT_MAX))]
        return Annotated[(_bounded(inner, place), *notes)]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(_bounded(one, place) for one in get_args(hint))]  # noqa: UP007
    if origin in (list, set, frozenset, dict, tuple):
        return origin[tuple(one if one is ... else _bounded(one, place) for one in get_args(hint))]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for field in msgspec.structs.fields(hint):
            if _bounded(field.type, f"{place}.{field.name}") != field.type:
                raise TypeError(f"{place}.{field.name}: an int without an upper bound; say Int")
    return hint
