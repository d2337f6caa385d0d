"""Writes waypost/client/_generated from the registry: what actions take and give as types, and a
method for each, for programs with and without an event loop."""

from __future__ import annotations

import keyword
import subprocess
import sys
import types
import typing
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import msgspec

from waypost.api.dispatch import Bound, bound_actions
from waypost.api.openapi import GENERAL, access_text, codes_of, reply_type
from waypost.api.params import Parameter
from waypost.api.reply import Counted, Hashed, Identified, Listed, Value
from waypost.api.wire import Upload

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "src" / "waypost" / "client" / "_generated"

WRITTEN = "Written by scripts/make_client.py."
#: Generic replies that the client has by hand, and their names there.
WRAPPERS = {Value: "Value", Listed: "Listed", Counted: "Page"}
#: The client has the reply at once; it needs nobody sent anywhere.
LEFT_OUT = {"redirect_target"}


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in modules().items():
        (FOLDER / name).write_text(text)


def modules() -> dict[str, str]:
    """File name -> its text."""
    bounds = bound_actions()
    known = Types(bounds.values())
    made = {
        "__init__.py": [f'"""{WRITTEN}"""'],
        "types.py": known.module(),
        "blocking.py": methods(bounds, known, waits=False),
        "aio.py": methods(bounds, known, waits=True),
    }
    return {name: formatted("\n".join(lines) + "\n", name) for name, lines in made.items()}


def formatted(text: str, name: str) -> str:
    """As ruff writes it."""
    for arguments in (("check", "--fix-only", "--select", "F401,I"), ("format",)):
        text = subprocess.run(
            [
                sys.executable,
                "-m",
                "ruff",
                *arguments,
                "-q",
                "--stdin-filename",
                FOLDER / name,
                "-",
            ],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
            timeout=60,
        ).stdout
    return text


# -- types


class Types:
    """The structs that parameters and replies are made of, and how types are written."""

    def __init__(self, bounds: Iterable[Bound]) -> None:
        self._sent: dict[type, None] = {}
        self._got: dict[type, None] = {}
        for bound in bounds:
            for parameter in bound.signature.parameters:
                _collect(parameter.type, self._sent)
            _collect(reply_type(bound.signature.returns), self._got)
        structs = {**self._sent, **self._got}
        count = Counter(one.__name__ for one in structs)
        self.names = {
            one: one.__name__ if count[one.__name__] == 1 else _longer_name(one) for one in structs
        }

    def module(self) -> Iterator[str]:
        """The module of structs."""
        yield f'"""What actions take and give. {WRITTEN}"""'
        yield "from __future__ import annotations"
        yield "from datetime import date"
        yield "from typing import Any, Literal"
        yield "import msgspec"
        yield "from msgspec import UNSET, UnsetType"
        for struct in sorted(self.names, key=self.names.__getitem__):
            yield from self._struct(struct)

    def _struct(self, struct: Any) -> Iterator[str]:
        config = struct.__struct_config__
        tag = f", tag={config.tag!r}, tag_field={config.tag_field!r}" if config.tag else ""
        yield f"class {self.names[struct]}(msgspec.Struct, kw_only=True{tag}):"
        text = " ".join((struct.__doc__ or "").split()).replace("``", "`")
        if text:
            yield _docstring(text, 4)
        fields = msgspec.structs.fields(struct)
        for field in fields:
            yield f"    {self._field(field, sent=struct in self._sent)}"
        if not fields and not text:
            yield "    pass"

    def _field(self, field: Any, *, sent: bool) -> str:
        text = self.text(field.type, sent=sent)
        name = f"name={field.encode_name!r}" if field.encode_name != field.name else ""
        # Servers of this API may leave out what is null.
        omitted = not sent and text.endswith(" | None")
        if field.required and not omitted:
            return f"{field.name}: {text}" + (f" = msgspec.field({name})" if name else "")
        if sent:
            none = " | None" if text.endswith(" | None") else ""
            text, default = f"{text.removesuffix(' | None')} | UnsetType{none}", "UNSET"
        else:
            text, default = _or_none(text), "None"
        if name:
            default = f"msgspec.field(default={default}, {name})"
        return f"{field.name}: {text} = {default}"

    def text(self, hint: Any, *, sent: bool, prefix: str = "", many: str = "list") -> str:
        """A type as it is written. ``sent``: as a parameter; ``prefix`` stands before structs,
        ``many`` is what lists are called."""

        def inner(one: Any) -> str:
            return self.text(one, sent=sent, prefix=prefix, many=many)

        origin, arguments = get_origin(hint), get_args(hint)
        if hint is Any or isinstance(hint, typing.TypeVar):
            return "Any"
        if hint in (None, type(None)):
            return "None"
        if hint is date:
            return "date"
        if origin is typing.Annotated:
            return inner(arguments[0])
        if origin in (typing.Union, types.UnionType):
            options = {inner(one): None for one in arguments if one is not msgspec.UnsetType}
            return " | ".join(sorted(options, key=lambda option: option == "None"))
        if origin is Literal:
            return f"Literal[{', '.join(map(repr, arguments))}]" if sent else _kind_of(arguments)
        if origin in WRAPPERS:
            return f"{WRAPPERS[origin]}[{', '.join(map(inner, arguments))}]"
        if hint in self.names:
            return prefix + self.names[hint]
        if (origin or hint) in (list, tuple, set, frozenset):
            return f"{many}[{inner(arguments[0]) if arguments else 'Any'}]"
        if (origin or hint) is dict:
            key, value = arguments or (str, Any)
            return f"dict[{inner(key)}, {inner(value)}]"
        if hint in (int, float, bool, str):
            return str(hint.__name__)
        raise TypeError(f"no way to write {hint}")


def _collect(hint: Any, found: dict[type, None]) -> None:
    """Adds the structs that a type is made of."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        if hint in found or hint is Upload:
            return
        found[hint] = None
        for field in msgspec.structs.fields(hint):
            _collect(field.type, found)
    elif get_origin(hint) is not Literal:
        for one in get_args(hint):
            _collect(one, found)


def _longer_name(struct: type) -> str:
    """The name of a struct that several modules have."""
    parts = [part for part in struct.__module__.split(".")[1:] if part not in ("api", "user")]
    words = [word for part in parts[-2:] for word in part.split("_")]
    return "".join(word.capitalize() for word in dict.fromkeys(words)) + struct.__name__


def _kind_of(values: Iterable[Any]) -> str:
    """A reply may have further values one day."""
    (kind,) = {type(value).__name__ for value in values}
    return kind


def _or_none(text: str) -> str:
    return text if text.endswith(("| None", "Any")) else f"{text} | None"


def _docstring(text: str, indent: int) -> str:
    """A docstring that fits the line."""
    space = " " * indent
    lines: list[str] = []
    line = f'{space}"""'
    for word in text.replace("\\", "\\\\").split():
        if len(line) + len(word) > 94:
            lines.append(line)
            line = space + word
        else:
            line += word if line.endswith('"""') else f" {word}"
    return "\n".join([*lines, line + '"""'])


# -- methods


class Group(msgspec.Struct):
    """What begins with the same path: actions and further groups."""

    name: str
    path: str
    action: Bound | None = None
    inner: dict[str, Group] = {}


def tree(bounds: Iterable[Bound], api: str) -> Group:
    """All actions of an API by the parts of their paths."""
    root = Group(api.capitalize(), "")
    for bound in bounds:
        if bound.action.api != api:
            continue
        here = root
        for part in bound.action.path.split("/"):
            words = "".join(word.capitalize() for word in part.split("_"))
            path = f"{here.path}/{part}".strip("/")
            here = here.inner.setdefault(part, Group(here.name + words, path))
        here.action = bound
    return root


def methods(bounds: Mapping[tuple[str, str], Bound], known: Types, *, waits: bool) -> Iterator[str]:
    """A module of classes with a method for each action."""
    yield f'"""A method for each action{", to be awaited" if waits else ""}. {WRITTEN}"""'
    yield "from __future__ import annotations"
    yield "import builtins"
    yield "from collections.abc import Mapping, Sequence"
    yield "from datetime import date, datetime"
    yield "from typing import Any, Literal, Protocol, TypeVar"
    yield "from waypost.client._core import Listed, Nothing, Page, Upload, Value"
    yield "from waypost.client._generated import types"
    yield 'T = TypeVar("T")'
    define = "async def" if waits else "def"
    yield "class Session(Protocol):"
    yield '    """What makes the calls."""'
    yield (
        f"    {define} call(self, api: str, path: str, parameters: Mapping[str, Any], "
        "type_: type[T]) -> T: ..."
    )
    ordered = [bounds[key] for key in sorted(bounds)]
    for api in ("user", "panel"):
        yield from _classes(tree(ordered, api), known, waits=waits)


def _classes(group: Group, known: Types, *, waits: bool) -> Iterator[str]:
    groups = [(part, one) for part, one in group.inner.items() if one.inner]
    for _, one in groups:
        yield from _classes(one, known, waits=waits)
    yield f"class {group.name}:"
    text = f"``{group.path}/*``." if group.path else f"The {group.name.lower()} API."
    yield f'    """{text}"""'
    yield "    def __init__(self, session: Session) -> None:"
    yield "        self._session = session"
    for part, one in groups:
        yield f"        self.{_safe(part)} = {one.name}(session)"
    if group.action is not None:
        yield from _method("__call__", group.action, known, waits=waits)
    for part, one in group.inner.items():
        if not one.inner and one.action is not None:
            yield from _method(_safe(part), one.action, known, waits=waits)


def _method(name: str, bound: Bound, known: Types, *, waits: bool) -> Iterator[str]:
    action = bound.action
    parameters = [one for one in bound.signature.parameters if one.name not in LEFT_OUT]
    reply, part, returned = _reply(bound, known)
    signature = ", ".join(
        ["self", *(["*"] if parameters else []), *(_declared(one, known) for one in parameters)]
    )
    yield f"    {'async ' if waits else ''}def {name}({signature}) -> {returned}:"
    yield _docstring(_documentation(bound), 8)
    sent = ", ".join(f'"{one.name}": {_safe(one.name)}' for one in parameters)
    call = f'self._session.call("{action.api}", "{action.path}", {{{sent}}}, {reply})'
    if waits:
        call = f"(await {call})" if part else f"await {call}"
    if returned == "None":
        yield f"        {call}"
    else:
        yield f"        return {call}{part}"


def _reply(bound: Bound, known: Types) -> tuple[str, str, str]:
    """The type to decode, which part of it the method gives, and that part's type."""
    hint = reply_type(bound.signature.returns)
    if hint is None:
        return "Nothing", "", "None"
    text = known.text(hint, sent=False, prefix="types.", many="builtins.list")
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Identified:
        return text, ".id", "int"
    if hint is Hashed:
        return text, ".hash", "str"
    if origin not in (Value, Listed):
        return text, "", text
    inner = known.text(arguments[0], sent=False, prefix="types.", many="builtins.list")
    if origin is Value:
        return text, ".value", inner
    return text, ".items", f"builtins.list[{inner}]"


def _declared(parameter: Parameter, known: Types) -> str:
    if parameter.moment:
        text = "datetime | str"
    elif parameter.upload:
        text = "Upload"
    else:
        text = known.text(parameter.type, sent=True, prefix="types.", many="Sequence")
    name = _safe(parameter.name)
    if parameter.required:
        return f"{name}: {_or_none(text) if parameter.nullable else text}"
    return f"{name}: {_or_none(text)} = None"


def _documentation(bound: Bound) -> str:
    action = bound.action
    codes = [code for code in codes_of(action) if code not in (*GENERAL, 3, 4)]
    parts = [" ".join(action.summary.split()).replace("``", "`"), access_text(action)]
    if codes:
        parts.append(f"Refused with {', '.join(map(str, codes))}.")
    return " ".join(part for part in parts if part)


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


if __name__ == "__main__":
    main()
