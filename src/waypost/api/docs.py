"""The readable page about the API: plain HTML made from the same description."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from itertools import groupby
from typing import Any

from waypost.api.dispatch import Bound
from waypost.api.openapi import access_text, build_openapi, codes_of, url_of
from waypost.catalog import errors

Schema = dict[str, Any]

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 1rem }
code, pre { font: 14px/1.4 ui-monospace, monospace }
pre { background: #8881; padding: .6rem; overflow: auto }
section { border-top: 1px solid #8884; padding: .5rem 0 1rem }
table { border-collapse: collapse; width: 100% }
td, th { border-bottom: 1px solid #8883; padding: .2rem .6rem .2rem 0; text-align: left;
  vertical-align: top }
nav a { display: inline-block; margin-right: 1rem }
small { opacity: .75 }
"""

_HEAD = """<h1>Waypost API</h1>
<p>Call <code>/v2/&lt;path&gt;</code> by POST (JSON or form) or GET. A session hash or API key goes
into the parameter <code>hash</code> or the header <code>Authorization: NVX &lt;hash&gt;</code>.
Every reply is JSON that begins with <code>success</code>; a refusal has <code>status.code</code>
and <code>status.description</code>. The same, for programs:
<a href="/openapi.json">openapi.json</a>.</p>
"""


def render_docs(actions: Mapping[tuple[str, str], Bound]) -> bytes:
    """The page, UTF-8."""
    document = build_openapi(actions)
    components: Schema = document["components"]["schemas"]
    bounds = [actions[key] for key in sorted(actions)]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Waypost API</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style>{_HEAD}<nav>",
    ]
    for group, members in groupby(bounds, lambda bound: url_of(bound.action).rpartition("/")[0]):
        first = next(members)
        parts.append(f'<a href="#{_anchor(url_of(first.action))}">{escape(group)}</a>')
    parts.append("</nav>")
    for bound in bounds:
        operation = document["paths"][url_of(bound.action)]["post"]
        parts.append(_section(bound, operation, components))
    parts.append("</html>")
    return "\n".join(parts).encode()


def _anchor(url: str) -> str:
    return url.strip("/").replace("/", "-")


def _section(bound: Bound, operation: Schema, components: Schema) -> str:
    action = bound.action
    url = url_of(action)
    form = next(iter(operation["requestBody"]["content"].values()))
    body = form["schema"]
    required = set(body.get("required", ()))
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code><td>{escape(type_text(schema, components))}"
        f"<td>{'' if name in required else 'optional'}"
        for name, schema in body["properties"].items()
    )
    table = f"<table><tr><th>parameter<th>type<th>{rows}</table>" if rows else ""
    reply = operation["responses"]["200"]["content"]["application/json"]["schema"]
    codes = ", ".join(
        f"<span title='{escape(errors.error(code).description, quote=True)}'>{code}</span>"
        for code in codes_of(action)
    )
    return (
        f'<section id="{_anchor(url)}"><h2><code>{escape(url)}</code></h2>'
        f"<p>{escape(' '.join(action.summary.split()))} {escape(access_text(action))}</p>{table}"
        f"<p>Reply:</p><pre>{escape(reply_text(reply, components))}</pre>"
        f"<p><small>Error codes: {codes}</small></p></section>"
    )


def type_text(schema: Schema, components: Schema, depth: int = 0) -> str:
    """A schema in words: ``array of integer``, ``{id: integer, label: string}``."""
    if "$ref" in schema:
        return type_text(components[schema["$ref"].rpartition("/")[2]], components, depth)
    if "allOf" in schema:
        return type_text(schema["allOf"][-1], components, depth)
    if "anyOf" in schema:
        return " or ".join(type_text(one, components, depth) for one in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(str(one) for one in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    kind = schema.get("type", "any")
    if kind == "array":
        inner = schema.get("items")
        return f"array of {type_text(inner, components, depth)}" if inner else "array"
    if kind == "object" and "properties" in schema:
        if depth > 3:
            return "object"
        fields = ", ".join(
            f"{name}: {type_text(one, components, depth + 1)}"
            for name, one in schema["properties"].items()
        )
        return f"{{{fields}}}"
    limits = [
        text
        for key, text in (
            ("minLength", "at least {} characters"),
            ("maxLength", "at most {} characters"),
            ("minimum", "from {}"),
            ("maximum", "to {}"),
        )
        if key in schema and abs(schema[key]) < 2**53
        for text in [text.format(schema[key])]
    ]
    return f"{kind} ({', '.join(limits)})" if limits else str(kind)


def reply_text(schema: Schema, components: Schema) -> str:
    """The shape of a reply, one line a field."""
    if "allOf" in schema:
        reply = schema["allOf"][1]
        if "$ref" in reply:
            reply = components[reply["$ref"].rpartition("/")[2]]
        lines = [
            f'  "{name}": {type_text(one, components)}'
            for name, one in reply.get("properties", {}).items()
        ]
    else:
        lines = []
    return "{\n" + ",\n".join(['  "success": true', *lines]) + "\n}"
