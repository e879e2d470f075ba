"""Each person once: a key that repeats would text somebody twice."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
import pyarrow.compute as pc

from smsflow_provider.core.audience.rules.plan import Plan
from smsflow_provider.core.errors import AudienceError


def each_once(
    batches: Iterator[pa.RecordBatch], *, plan: Plan, label: str
) -> Iterator[pa.RecordBatch]:
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
    for batch in batches:
        if name is not None and batch.num_rows:
            keys = batch.column(name)
            if keys[0].as_py() == before is not None or _repeats(keys):
                raise AudienceError(
                    "the key of the people is the same in several rows: somebody would be texted "
                    "twice",
                    source=label,
                    table=plan.table,
                    key=plan.key,
                    hint="the dimension's key is a column that no two rows share",
                )
            before = keys[-1].as_py()
        yield batch


def _key_of(plan: Plan) -> str | None:
    """Find the output that holds the key."""
    names = (
        output.name
        for output in plan.outputs
        if output.column.name == plan.key and not output.column.hops
    )
    return next(names, None)


def _repeats(keys: pa.Array) -> bool:
    """Whether two neighbours are equal; an empty key is not, it is refused elsewhere."""
    if keys.null_count == len(keys):
        return False
    return bool(pc.any(pc.equal(keys[1:], keys[:-1])).as_py())
