"""Each person once: a key that repeats would text somebody twice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar, cast

import polars as pl

from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.audience.source import ended
from smsflow_provider.core.errors import AudienceError


class Batch(Protocol):
    """As much of an Arrow record batch as is looked at."""

    @property
    def num_rows(self) -> int:
        """How many rows it has."""

    def column(self, i: Any, /) -> Any:
        """Give a column by its name."""


_Batch = TypeVar("_Batch", bound=Batch)


def each_once(batches: Iterator[_Batch], *, plan: Plan, label: str) -> Iterator[_Batch]:
    """
    Pass rows on; stop before a person who was there already.

    Args:
        batches: The plan's outputs in the order of its key, as ``select_sql`` asks for them.
            Without the key among the outputs nothing is looked at.
        plan: What was asked.
        label: What errors call the database.

    Raises:
        AudienceError: The key of the people's table is the same in several rows. It names the
            table and the column, no value.
    """
    before: object = None
    name = _key_of(plan)
    with ended(batches):
        for batch in batches:
            if name is not None and batch.num_rows:
                keys = cast("pl.Series", pl.from_arrow(batch.column(name)))
                if (before is not None and keys[0] == before) or _repeats(keys):
                    raise AudienceError(
                        "the key of the people is the same in several rows: somebody would be "
                        "texted twice",
                        source=label,
                        table=plan.table,
                        key=plan.key,
                        hint="the dimension's key is a column that no two rows share",
                    )
                before = keys[-1]
            yield batch


def _key_of(plan: Plan) -> str | None:
    """Find the output that holds the key."""
    names = (
        output.name
        for output in plan.outputs
        if output.column.name == plan.key and not output.column.hops
    )
    return next(names, None)


def _repeats(keys: pl.Series) -> bool:
    """Whether two neighbours are equal; an empty key is not, it is refused elsewhere."""
    return bool((keys == keys.shift()).any())
