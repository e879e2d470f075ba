"""The frames that rules are applied to: what must be there is checked, all at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from smsflow_provider.core.audience.reference import near_hint
from smsflow_provider.core.audience.rules import plan as rules
from smsflow_provider.core.audience.rules.reads import Need, Walk, reads_of
from smsflow_provider.core.audience.rules.to_frame_types import fits, joins, words_of
from smsflow_provider.core.errors import AudienceError


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """Frames by the table's name, with every column that a plan reads."""

    frames: Mapping[str, pl.LazyFrame]
    schemas: Mapping[str, pl.Schema]

    def dtype(self, table: str, column: str) -> pl.DataType:
        """Tell the type of a column as the frame has it."""
        return self.schemas[table][column]


def tables_of(plan: rules.Plan, given: Mapping[str, Any]) -> Tables:
    """
    Take of the given frames what *plan* reads.

    Args:
        plan: What will be carried out.
        given: A polars ``DataFrame`` or ``LazyFrame``, or a pandas ``DataFrame``, by the table's
            name in the plan. Columns and tables that the plan does not read are left alone.

    Raises:
        AudienceError: A table or a column is missing, or a column is of another type than the
            rules take it for; a person, or a row that a link leads to, is there twice. All
            problems, with near names, and no value of any row.
    """
    reads = tuple(dict.fromkeys(reads_of(plan)))
    columns: dict[str, set[str]] = {}
    for read in reads:
        if isinstance(read, Need):
            columns.setdefault(read.table, set()).add(read.column)
    frames = {
        table: _lazy(given[table], names, table=table)
        for table, names in columns.items()
        if table in given
    }
    schemas = {table: frame.collect_schema() for table, frame in frames.items()}
    tables = Tables(frames=frames, schemas=schemas)
    _refuse([*_missing(columns, given, schemas), *_unlike(reads, schemas)])
    _refuse([*_repeated(plan, reads, frames)])
    return tables


def _refuse(problems: list[str]) -> None:
    if problems:
        unique = list(dict.fromkeys(problems))
        raise AudienceError("the frames do not fit the rules", problems=unique)


def _lazy(frame: Any, columns: set[str], *, table: str) -> pl.LazyFrame:
    if isinstance(frame, pl.LazyFrame | pl.DataFrame):
        return frame.lazy()
    # pandas takes half a second to load, and who hands in polars does without.
    from smsflow_provider.core.audience.frame import frame_batches  # noqa: PLC0415

    if hasattr(frame, "columns") and hasattr(frame, "index"):
        named = [name for name in frame.index.names if name in columns - set(frame.columns)]
        frame = frame.reset_index(level=named) if named else frame
        kept = [name in columns for name in map(str, frame.columns)]
        frame = frame.loc[:, kept].reset_index(drop=True)
        if not frame.columns.is_unique:
            _refuse([f"{table}: several columns have one name"])
    pieces = [_frame_of(batch) for batch in frame_batches(frame, label=table)]
    return pl.concat(pieces, how="vertical_relaxed").lazy()


def _frame_of(batch: Any) -> pl.DataFrame:
    found = pl.from_arrow(batch)
    return found if isinstance(found, pl.DataFrame) else found.to_frame()


def _missing(
    columns: Mapping[str, set[str]], given: Mapping[str, Any], schemas: Mapping[str, pl.Schema]
) -> Iterator[str]:
    for table, names in columns.items():
        if table not in given:
            yield f"{table}: no frame was given for this table{near_hint(table, [*given])}"
            continue
        for name in sorted(names - set(schemas[table])):
            yield f"{table}.{name}: there is no such column{near_hint(name, [*schemas[table]])}"


def _unlike(reads: tuple[Need | Walk, ...], schemas: Mapping[str, pl.Schema]) -> Iterator[str]:
    types = {(table, name): kind for table, all_ in schemas.items() for name, kind in all_.items()}
    for read in reads:
        if isinstance(read, Need):
            found = types.get((read.table, read.column))
            if found is not None and read.kind is not None and not fits(found, read.kind):
                yield (
                    f"{read.table}.{read.column}: the rules take it for {read.kind.value}, "
                    f"the frame holds {words_of(found)}"
                )
            continue
        for here, there in read.hop.on:
            one, other = types.get((read.table, here)), types.get((read.hop.table, there))
            if one is not None and other is not None and not joins(one, other):
                yield (
                    f"{read.table}.{here} holds {words_of(one)} and "
                    f"{read.hop.table}.{there} {words_of(other)}: they never meet"
                )


def _repeated(
    plan: rules.Plan, reads: tuple[Need | Walk, ...], frames: Mapping[str, pl.LazyFrame]
) -> Iterator[str]:
    keys = pl.col(plan.key)
    people = frames[plan.table].select(
        empty=keys.is_null().any(), twice=keys.drop_nulls().is_duplicated().any()
    )
    is_empty, is_twice = people.collect().row(0)
    if is_empty:
        yield f"{plan.table}.{plan.key}: it identifies a person and is empty in some rows"
    if is_twice:
        yield f"{plan.table}.{plan.key}: it identifies a person and is the same in several rows"
    for read in reads:
        if isinstance(read, Walk) and read.is_one:
            names = [there for _, there in read.hop.on]
            keyed = frames[read.hop.table].select(names).drop_nulls()
            if keyed.select(pl.struct(names).is_duplicated().any()).collect().item():
                yield f"{read.hop.table}: link {read.hop.name!r} leads to several rows for one"
