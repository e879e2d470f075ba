"""Rules for whoever has the people in a data frame already: in a callable, a notebook, a test."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar, cast

import polars as pl

from smsflow_provider.core.audience.rules.bind import bind
from smsflow_provider.core.audience.rules.dimension import Dimension, read_dimension
from smsflow_provider.core.audience.rules.plan import Column, Kind, Output
from smsflow_provider.core.audience.rules.to_frame import select_frame
from smsflow_provider.core.audience.rules.tree import read_rules
from smsflow_provider.core.errors import AudienceError

#: A column that is added for a while.
_PLACE = "smsflow place of the row"
_Frame = TypeVar("_Frame")


def apply_rules(
    frame: _Frame,
    rules: object,
    *,
    dimension: Dimension | Mapping[str, Any],
    now: datetime,
    linked: Mapping[str, Any] | None = None,
    regardless_of_consent: bool = False,
) -> _Frame:
    """
    Keep the rows of a frame that rules are true of: the people the database would find.

    Args:
        frame: The dimension's own table, as a pandas or polars ``DataFrame``. Its columns have
            the names that they have in the database.
        rules: As in YAML, or made by ``col`` and ``link``; without templates.
        dimension: The dimension, or the mapping that its file holds.
        now: With a zone; what ``today`` starts from, such as the run's logical date.
        linked: A frame for each linked table that the rules name, by the table's name.
        regardless_of_consent: Keep people without the dimension's consent too.

    Returns:
        The rows in their order, with all their columns and, of pandas, their index.

    Raises:
        AudienceError: The rules, the dimension or the frames have problems; all of one kind.

    Example:
        >>> people = pl.DataFrame({"id": ["c2", "c1", "c3"], "age": [17, 18, None]})
        >>> shape = {"table": "people", "key": "id", "phone": "tel", "columns": {"age": "integer"}}
        >>> now = datetime.fromisoformat("2026-11-22T03:00:00Z")
        >>> adults = {"column": "age", "at_least": 18}
        >>> apply_rules(people, adults, dimension=shape, now=now).rows()
        [('c1', 18)]
    """
    known = dimension if isinstance(dimension, Dimension) else _read(dimension)
    plan = bind(
        read_rules(rules), dimension=known, now=now, regardless_of_consent=regardless_of_consent
    )
    place = Output(name=_PLACE, column=Column(name=_PLACE, kind=Kind.INTEGER))
    frames = {**(linked or {}), known.table: _placed(frame)}
    found = select_frame(replace(plan, outputs=(place,)), frames).get_column(_PLACE).sort()
    rows: Any = frame
    kept = rows[found] if isinstance(frame, pl.DataFrame) else rows.iloc[found.to_list()]
    return cast("_Frame", kept)


def _read(dimension: Mapping[str, Any]) -> Dimension:
    return read_dimension(dict(dimension), name="frame")


def _placed(frame: Any) -> Any:
    if isinstance(frame, pl.DataFrame):
        return frame.with_row_index(_PLACE)
    if not hasattr(frame, "iloc"):
        raise AudienceError(
            "rules can be applied to a DataFrame of pandas or polars", got=type(frame).__name__
        )
    return frame.assign(**{_PLACE: range(len(frame))})
