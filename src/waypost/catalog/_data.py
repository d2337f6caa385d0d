"""Reading the data files beside this module."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

T = TypeVar("T")

DATA = Path(__file__).parent / "data"


def load(name: str, form: type[T]) -> T:
    """The data file ``name`` as ``form``. A field the form does not know, or a value of another
    type, raises :class:`msgspec.ValidationError`: a data file never says what no code reads."""
    return msgspec.json.decode((DATA / name).read_bytes(), type=form)
