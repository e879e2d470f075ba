"""Names in rules become columns and links of a dimension; a wrong one gets the near name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from smsflow_provider.core.audience.rules.dimension import ColumnSpec, Dimension, Link, Rows
from smsflow_provider.core.audience.rules.moments import UnfitError
from smsflow_provider.core.audience.rules.plan import Column, Hop, Kind
from smsflow_provider.core.document.problem import near_or_all

#: Names that are listed where none is near.
_MOST_SHOWN: Final = 20


def column_of(path: str, rows: Rows) -> tuple[Column, ColumnSpec]:
    """
    Find the column that rules call *path*: a name, or names of links to one row before it.

    Raises:
        UnfitError: There is none; the hint has the near name.
    """
    *links, name = path.split(".")
    here: Rows = rows
    hops: list[Hop] = []
    for each in links:
        link = here.links.get(each)
        if link is None:
            raise _unknown(path, rows)
        if link.kind == "many":
            raise UnfitError(f"{each!r} has many rows", f"write {{link: {each}, …}}")
        hops.append(hop_of(each, link))
        here = link
    spec = here.columns.get(name)
    if spec is None:
        raise _unknown(path, rows) if name not in here.links else _is_link(path, here.links[name])
    return Column(hops=tuple(hops), name=spec.column or name, kind=spec.type), spec


def link_of(name: str, rows: Rows) -> Link:
    """
    Find the link to many rows that rules call *name*.

    Raises:
        UnfitError: There is none, or it leads to one row.
    """
    link = rows.links.get(name)
    if link is None:
        known = [each for each, one in rows.links.items() if one.kind == "many"]
        hint = near_or_all(name, known) or "there is no link to many rows here"
        raise UnfitError(f"unknown link {name[:70]!r}", hint)
    if link.kind == "one":
        raise UnfitError(f"{name!r} has one row", f"write {{column: {name}.<column>, …}}")
    return link


def hop_of(name: str, link: Link) -> Hop:
    """Make the step to a linked table."""
    return Hop(name=name, table=link.table, on=tuple(link.on.items()))


def own_column(name: str, dimension: Dimension, *, kind: Kind) -> Column:
    """Give the people's column that the database calls *name*; of a declared kind, else *kind*."""
    found = [spec for key, spec in dimension.columns.items() if (spec.column or key) == name]
    return Column(name=name, kind=found[0].type if found else kind)


def column_names(rows: Rows) -> Iterator[str]:
    """List what rules may call a column, those of rows linked to one included."""
    yield from rows.columns
    for name, link in rows.links.items():
        if link.kind == "one":
            yield from (f"{name}.{each}" for each in column_names(link))


def _unknown(path: str, rows: Rows) -> UnfitError:
    names = list(column_names(rows))
    hint = near_or_all(path, names)
    if len(names) > _MOST_SHOWN and not hint.startswith("did you"):
        hint = f"known: {', '.join(names[:_MOST_SHOWN])} and {len(names) - _MOST_SHOWN} more"
    return UnfitError(f"unknown column {path[:70]!r}", hint)


def _is_link(path: str, link: Link) -> UnfitError:
    if link.kind == "many":
        return UnfitError(f"{path!r} has many rows", f"write {{link: {path}, …}}")
    return UnfitError(f"{path!r} is a linked row", f"write {path}.<column>")
