"""The OpenAPI 3.1 description of the API, derived from the registry."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

import msgspec

import waypost
from waypost.api.action import PANEL, USER, Action
from waypost.api.dispatch import Bound
from waypost.api.errors import ErrorReply
from waypost.api.params import Parameter
from waypost.api.reply import Encoded
from waypost.catalog import errors

Schema = dict[str, Any]

_FILE: Schema = {"type": "string", "format": "binary"}

#: Codes that any call can answer.
GENERAL = (1, 5, 6, 7, 9, 14, 15)

_MOMENT: Schema = {
    "type": "string",
    "description": "yyyy-MM-dd HH:mm:ss in the user's time zone, or ISO 8601 with offset",
    "examples": ["2021-05-20 13:49:09"],
}


def codes_of(action: Action) -> list[int]:
    """Every error code that an action may answer, in order."""
    codes = {*GENERAL, *action.errors}
    if not action.public:
        codes |= {3, 4}
    if action.rights or action.permissions:
        codes.add(13)
    own = action.tracker
    if own:
        codes.add(own.missing)
        if own.corrupted is not None:
            codes.add(own.corrupted if own.corrupted != -1 else 201 if action.api == USER else 252)
        if own.live:
            codes.add(208)
        if own.clone is not None:
            codes.add(249 if own.clone else 219)
        if own.supports:
            codes.add(214)
        if own.activated:
            codes.add(266)
    return sorted(codes)


def url_of(action: Action) -> str:
    """The path of an action below ``/v2``."""
    return f"/panel/{action.path}" if action.api == PANEL else f"/{action.path}"


def reply_type(returns: Any) -> Any:
    """What a reply holds beside ``success``; None for nothing."""
    if returns is type(None):
        return None
    if get_origin(returns) is Encoded:
        return get_args(returns)[0]
    return returns


def build_openapi(actions: Mapping[tuple[str, str], Bound]) -> Schema:
    """The whole document."""
    bounds = [actions[key] for key in sorted(actions)]
    types: list[Any] = [ErrorReply]
    for bound in bounds:
        types += [one.type for one in bound.signature.parameters if _fixed(one) is None]
        reply = reply_type(bound.signature.returns)
        if reply is not None:
            types.append(reply)
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    found = iter(schemas)
    error = next(found)
    paths = {url_of(bound.action): _path(bound, found, error) for bound in bounds}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Waypost",
            "version": waypost.__version__,
            "description": "The user and panel API. Every reply is JSON that begins with success.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/v2"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "hash": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "NVX and a session hash or API key. Also taken as parameter "
                    "hash of query or body.",
                }
            },
        },
    }


def _path(bound: Bound, schemas: Iterable[Schema], error: Schema) -> Schema:
    action = bound.action
    found = iter(schemas)
    properties: Schema = {}
    required = []
    for parameter in bound.signature.parameters:
        properties[parameter.name] = _parameter(parameter, _fixed(parameter) or next(found))
        if parameter.required:
            required.append(parameter.name)
    body: Schema = {"type": "object", "properties": properties}
    if required:
        body["required"] = required
    reply = None if reply_type(bound.signature.returns) is None else next(found)
    success: Schema = {
        "type": "object",
        "properties": {"success": {"const": True}},
        "required": ["success"],
    }
    summary, _, rest = action.summary.partition("\n")
    operation: Schema = {
        "operationId": f"{action.api}_{action.path.replace('/', '_')}",
        "tags": [f"{action.api} {action.path.partition('/')[0]}"],
        "summary": summary.strip(),
        "requestBody": {
            "required": bool(required),
            "content": _content(bound, body),
        },
        "responses": {
            "200": _response("Done", success if reply is None else {"allOf": [success, reply]}),
            **_redirect(bound),
            **_refusals(codes_of(action), error),
        },
        "security": [] if action.public else [{"hash": []}],
    }
    details = [" ".join(rest.split()), access_text(action)]
    if any(details):
        operation["description"] = " ".join(one for one in details if one)
    return {"post": operation}


def _fixed(parameter: Parameter) -> Schema | None:
    """The schema of a parameter that has no type of msgspec's."""
    if parameter.moment:
        return _MOMENT
    return _FILE if parameter.upload else None


def _redirect(bound: Bound) -> Schema:
    """How an upload answers a browser that says where it wants to go."""
    if not bound.uploads:
        return {}
    return {"302": {"description": "To redirect_target, with the reply in its parameter response"}}


def _content(bound: Bound, body: Schema) -> Schema:
    """The forms in which an action takes its parameters."""
    if bound.uploads:
        return {"multipart/form-data": {"schema": body}}
    return {
        "application/json": {"schema": body},
        "application/x-www-form-urlencoded": {"schema": body},
    }


def access_text(action: Action) -> str:
    """Who may call it, in words."""
    if action.public:
        return "Needs no session."
    if "admin" in action.rights:
        text = "For master users."
    elif action.rights:
        text = f"Sub-users need the right {' and '.join(action.rights)}."
    elif action.permissions:
        text = f"Needs the permissions {', '.join(action.permissions)}."
    else:
        text = ""
    if action.second_factor:
        return "Only for the hash of a log-in that asks for a code."
    if action.login_only:
        return f"{text} Not for API keys or sessions made by others.".strip()
    if action.session_only:
        return f"{text} Not for API keys.".strip()
    return text


def _parameter(parameter: Parameter, schema: Schema) -> Schema:
    if parameter.required or parameter.default is None:
        return schema
    default = msgspec.to_builtins(parameter.default)
    if "$ref" in schema:
        return {"allOf": [schema], "default": default}
    return {**schema, "default": default}


def _refusals(codes: list[int], error: Schema) -> Schema:
    by_status: dict[int, list[str]] = {}
    for code in codes:
        row = errors.error(code)
        by_status.setdefault(row.http, []).append(f"{code} {row.description}")
    return {
        str(status): _response("; ".join(texts), error)
        for status, texts in sorted(by_status.items())
    }


def _response(description: str, schema: Schema) -> Schema:
    return {"description": description, "content": {"application/json": {"schema": schema}}}
