"""What an element's raw value means, as Python source for the compiled readers."""

from __future__ import annotations

from waypost.protocols.teltonika.avl import Element


def guard(element: Element, raw: str) -> str:
    """The condition under which there is a value; empty: always."""
    bounds = []
    if element.min is not None:
        bounds.append(f"{raw} >= {element.min}")
    if element.max is not None:
        bounds.append(f"{raw} <= {element.max}")
    bounds += [f"{raw} != {code}" for code in element.not_]
    if element.kind == "signal":
        bounds.append(f"{raw} <= 5")
    elif element.kind in ("ibutton", "hex", "operator"):
        bounds.append(raw)
    return " and ".join(bounds)


def expression(element: Element, raw: str) -> str:
    """A single value from the raw one."""
    match element.kind:
        case "bool":
            return f"{raw} != 0"
        case "signal":
            return f"{raw} * 20"
        case "ibutton":
            return f"{raw}.to_bytes(8, 'little').hex().upper()"
        case "hex":
            return f"f'{{{raw}:016X}}'"
        case "operator":
            return f"str({raw})"
    return raw if element.div == 1 else f"{raw} / {element.div}"
