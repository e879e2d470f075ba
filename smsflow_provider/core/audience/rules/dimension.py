"""
Targeting dimensions: who the people of a database are, and what rules may say about them.

One YAML file each, ``<rules>/dimensions/<name>.yaml``. Names of tables and columns are those of
the database, exactly, upper and lower case too: every statement quotes them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

from smsflow_provider.core.audience.rules.dialects import Dialect
from smsflow_provider.core.audience.rules.moments import Clock, UnfitError
from smsflow_provider.core.audience.rules.plan import Kind
from smsflow_provider.core.audience.rules.rule import AnyRule, Saved, walk
from smsflow_provider.core.audience.rules.tree import error_of, look_at_rules
from smsflow_provider.core.audience.rules.values import final
from smsflow_provider.core.document.judge import judge, text_of
from smsflow_provider.core.document.problem import (
    Problem,
    in_file,
    near,
    near_or_all,
    refusal,
)
from smsflow_provider.core.document.tree import Path as Place
from smsflow_provider.core.document.tree import Tree, read_tree
from smsflow_provider.core.document.zone import check_zone
from smsflow_provider.core.errors import AudienceError

#: Folder of the dimensions within that of the rules.
FOLDER: Final = "dimensions"
DATED_KINDS: Final = frozenset({Kind.DATE, Kind.MOMENT, Kind.LOCAL_MOMENT})

_SUFFIXES: Final = (".yaml", ".yml")
_MOST_PARTS: Final = 3
_QUOTES: Final = frozenset("\"'`[]")
_SOME_CLOCK: Final = Clock(now=datetime(2026, 1, 1, tzinfo=UTC))


def check_name(text: str) -> str:
    """Accept what names a column, a link or a filter: it may become a field of a template."""
    if not text.isidentifier() or len(text) > 63:
        raise refusal(f"{text[:70]!r} cannot be a name", "letters, digits and _, at most 63")
    return text


def check_sql_name(text: str) -> str:
    """Accept the name of a column in a database, any but one with quotes in it."""
    if any(each in _QUOTES or not each.isprintable() for each in text):
        raise refusal("has a quote or a control character", "write the name without quotes")
    return text


def check_table(text: str) -> str:
    """Accept ``table``, ``schema.table`` or ``catalog.schema.table``."""
    parts = check_sql_name(text).split(".")
    if len(parts) > _MOST_PARTS or not all(part.strip() for part in parts):
        raise refusal(
            f"{text[:70]!r} is not a table", "table, schema.table or catalog.schema.table"
        )
    return text


def _short(given: object) -> object:
    return {"type": given} if isinstance(given, str) else given


def _listed(given: object) -> object:
    return [given] if isinstance(given, str) else given


Name = Annotated[str, AfterValidator(check_name)]
SqlName = Annotated[
    str, StringConstraints(min_length=1, max_length=300), AfterValidator(check_sql_name)
]
Table = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(check_table)]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2_000, pattern=r"\S")]
Scalar = bool | int | float | str


class Part(BaseModel):
    """Frozen, and refuses what it does not know. Errors do not repeat what was written."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class ColumnSpec(Part):
    """A column that rules and audiences may name. Its type alone is short for all of it."""

    #: What it holds: ``text``, ``integer``, ``number``, ``boolean``, ``date``, ``moment`` (with a
    #: zone) or ``local_moment`` (without).
    type: Kind
    #: What people call it. None: its name.
    label: Text | None = None
    #: The values it may have, checked in rules. Empty: any.
    values: tuple[Scalar, ...] = ()
    #: Its name in the database. None: the same.
    column: SqlName | None = None


class Link(Part):
    """A linked table."""

    #: As the database calls it.
    table: Table
    #: ``one``: a row here has one row there or none. ``many``: any number of them.
    kind: Literal["one", "many"]
    #: Column here to column there, by their names in the database; all must be equal.
    on: Annotated[dict[SqlName, SqlName], Field(min_length=1)]
    #: What people call it. None: its name.
    label: Text | None = None
    #: Many rows only: columns that identify a row there, by their names in the database. ``last``
    #: needs them.
    key: Annotated[tuple[SqlName, ...], BeforeValidator(_listed)] = ()
    #: Many rows only: the column there (of *columns*) that ``within_last``, ``within_next`` and
    #: ``last`` go by.
    date: Name | None = None
    #: What rules may name there, by name.
    columns: dict[Name, Annotated[ColumnSpec, BeforeValidator(_short)]] = Field(
        default_factory=dict
    )
    #: Tables linked to that one, by name.
    links: dict[Name, Link] = Field(default_factory=dict)


class Dimension(Part):
    """People of one table, and all that rules may say about them."""

    #: Name of the file.
    name: str
    #: What people call it. None: its name.
    label: Text | None = None
    #: For people.
    description: str = ""
    #: Airflow connection of the database. None: the activity says.
    conn_id: Text | None = None
    #: SQL of the database, such as ``postgres``. None: the type of the connection tells.
    dialect: Dialect | None = None
    #: Table with one row for each person, as the database calls it.
    table: Table
    #: Column that identifies a person; unique, never empty.
    key: SqlName
    #: Column with the phone number, in any writing.
    phone: SqlName
    #: Column with each person's language. None: there is none.
    language: SqlName | None = None
    #: Column with each person's time zone. None: there is none.
    time_zone: SqlName | None = None
    #: Boolean columns that must be true, of *columns* or of the table.
    consent: tuple[SqlName, ...] = ()
    #: IANA zone of days: of ``today``, and of where a day of a moment begins.
    zone: Annotated[str, AfterValidator(check_zone)] = "UTC"
    #: What rules and audiences may name, by name; nothing else.
    columns: dict[Name, Annotated[ColumnSpec, BeforeValidator(_short)]] = Field(
        default_factory=dict
    )
    #: Linked tables, by name.
    links: dict[Name, Link] = Field(default_factory=dict)
    #: Rules by name, for ``{filter: <name>}``.
    filters: dict[Name, AnyRule] = Field(default_factory=dict)

    @property
    def title(self) -> str:
        """What people call it."""
        return self.label or self.name


#: What has columns and links: the people, or rows that are linked to them.
Rows = Dimension | Link


def read_dimension(data: object, *, name: str) -> Dimension:
    """
    Read a dimension from plain data.

    Filters are read as rules; whether they name columns that are there says
    ``bind.problems_of_filters``.

    Args:
        data: The mapping of the file.
        name: What it is called.

    Raises:
        AudienceError: ``facts["problems"]`` lists all, each ``path: text (hint)``.

    Example:
        >>> data = {"table": "people", "key": "id", "phone": "tel", "columns": {"age": "integer"}}
        >>> read_dimension(data, name="people").columns["age"].type
        <Kind.INTEGER: 'integer'>
    """
    dimension, problems = _read(Tree(data=data, lines={}, problems=[]), name)
    if dimension is None:
        raise error_of(problems, what="the dimension", dimension=name)
    return dimension


def load_dimension(folder: Path, name: str) -> Dimension:
    """
    Read ``dimensions/<name>.yaml`` of the folder of rules.

    Raises:
        AudienceError: No such file, with the near name, or it has problems, with their lines.
    """
    files = dimension_files(folder)
    if name not in files:
        hint = near_or_all(name, files) or f"the folder {FOLDER} of the rules holds none"
        raise AudienceError(f"no such dimension {name[:70]!r}", dimension=name[:70], hint=hint)
    dimension, problems = look_at_dimension(files[name])
    if dimension is None:
        # The name of the file, not its folder: that is another one on each machine.
        told = in_file(problems, files[name].name)
        raise error_of(told, what="the dimension", dimension=name)
    return dimension


def look_at_dimension(path: Path) -> tuple[Dimension | None, list[Problem]]:
    """Read the file at *path*: the dimension and no problem, or None and all problems."""
    text = text_of(path)
    if isinstance(text, Problem):
        return None, [text]
    tree = read_tree(text)
    if not isinstance(tree.data, dict) and not tree.problems:
        shape = Problem(text="must hold one dimension", hint="start with table:", line=1)
        return None, in_file([shape], str(path))
    dimension, found = _read(tree, path.stem)
    found = sorted([*tree.problems, *found], key=lambda each: each.line or 0)
    return (None if found else dimension), in_file(found, str(path))


def dimension_files(folder: Path) -> dict[str, Path]:
    """
    List the dimensions of a folder of rules by their names.

    Raises:
        AudienceError: Two files have one name, ``a.yaml`` and ``a.yml``.
    """
    found: dict[str, Path] = {}
    for path in sorted((folder / FOLDER).glob("*")):
        if path.suffix in _SUFFIXES and not path.name.startswith("."):
            if path.stem in found:
                raise AudienceError("two dimensions have one name", dimension=path.stem)
            found[path.stem] = path
    return found


def is_dimension_file(path: Path) -> bool:
    """Whether a path is that of a dimension: a YAML file in a folder ``dimensions``."""
    return path.suffix in _SUFFIXES and path.parent.name == FOLDER


def _read(tree: Tree, name: str) -> tuple[Dimension | None, list[Problem]]:
    data = tree.data
    if not isinstance(data, Mapping):
        shape = Problem(text="is not a dimension", hint="a mapping with table:, key:, phone:")
        return None, [] if tree.problems else [shape]
    filters, found = _filters(data.get("filters", {}))
    if "name" in data:
        hint = "the file's name is its name"
        found.append(Problem(field="name", text="unknown field 'name'", hint=hint))
    rest = {key: value for key, value in data.items() if key != "filters"} | {"name": name}
    dimension, fields = judge(replace(tree, data=rest), Dimension)
    if dimension is not None:
        dimension = dimension.model_copy(update={"filters": filters})
        found.extend(_problems_of(dimension))
    placed = [
        each if each.line else replace(each, line=tree.line_of(_place(each.field)))
        for each in [*(replace(each, field=_bracketed(each.field)) for each in fields), *found]
    ]
    return (None if placed else dimension), placed


def _filters(given: object) -> tuple[dict[str, AnyRule], list[Problem]]:
    """Read the rules of each filter."""
    if not isinstance(given, Mapping):
        return {}, [Problem(field="filters", text="is not a mapping", hint="<name>: <rules>")]
    found: dict[str, AnyRule] = {}
    wrong: list[Problem] = []
    for name, data in given.items():
        path = f"filters.{name}"
        if not isinstance(name, str) or not name.isidentifier():
            wrong.append(Problem(field=path, text="cannot be a name", hint="letters, digits, _"))
        rule, problems = look_at_rules(data, path=path)
        wrong.extend(problems)
        if rule is not None:
            found[str(name)] = rule
    return found, wrong


def _problems_of(dimension: Dimension) -> Iterator[Problem]:
    """Say what only the whole can tell."""
    yield from _problems_of_rows(dimension, "")
    for at, name in enumerate(dimension.consent):
        spec = dimension.columns.get(name)
        if spec is not None and spec.type is not Kind.BOOLEAN:
            yield Problem(field=f"consent[{at}]", text=f"is a {spec.type} column, not a boolean")
    yield from _problems_of_names(dimension)


def _problems_of_rows(rows: Rows, path: str) -> Iterator[Problem]:
    for name, spec in rows.columns.items():
        yield from _problems_of_values(spec, f"{path}columns.{name}.values")
    for name, link in rows.links.items():
        at = f"{path}links.{name}"
        if name in rows.columns:
            yield Problem(field=at, text="has the name of a column")
        if link.kind == "many" and isinstance(rows, Link) and rows.kind == "one":
            hint = "rules reach many rows from the table itself only"
            yield Problem(field=at, text="leads to many rows behind a link to one", hint=hint)
        yield from _problems_of_link(link, at)
        yield from _problems_of_rows(link, f"{at}.")


def _problems_of_values(spec: ColumnSpec, path: str) -> Iterator[Problem]:
    if spec.values and spec.type in DATED_KINDS | {Kind.BOOLEAN, Kind.NUMBER}:
        yield Problem(field=path, text=f"does not go with {spec.type}", hint="text or integer")
        return
    for at, value in enumerate(spec.values):
        try:
            final(value, kind=spec.type, clock=_SOME_CLOCK)
        except UnfitError as error:
            yield Problem(field=f"{path}[{at}]", text=error.text, hint=error.hint)


def _problems_of_link(link: Link, path: str) -> Iterator[Problem]:
    if link.kind == "one":
        for name in ("key", "date"):
            if getattr(link, name):
                yield Problem(field=f"{path}.{name}", text="is for links to many rows")
    elif link.date is not None:
        spec = link.columns.get(link.date)
        if spec is None:
            text = f"{link.date!r} is not a column of the link"
            yield Problem(
                field=f"{path}.date", text=text, hint=near_or_all(link.date, link.columns)
            )
        elif spec.type not in DATED_KINDS:
            yield Problem(field=f"{path}.date", text=f"{link.date!r} is a {spec.type} column")


def _problems_of_names(dimension: Dimension) -> Iterator[Problem]:
    """Name the filters that filters name in vain, and those that hold themselves."""
    named = {
        name: {each.filter for each in walk(rule) if isinstance(each, Saved)}
        for name, rule in dimension.filters.items()
    }
    for name, others in named.items():
        for other in sorted(others - set(named)):
            hint = near(other, named)
            yield Problem(field=f"filters.{name}", text=f"unknown filter {other!r}", hint=hint)
        if (cycle := _cycle(name, named)) is not None:
            yield Problem(field=f"filters.{name}", text=f"holds itself: {' > '.join(cycle)}")


def _cycle(start: str, named: Mapping[str, set[str]]) -> list[str] | None:
    """Find a way from *start* back to it, the shortest."""
    ways, seen = [[start]], {start}
    while ways:
        way = ways.pop(0)
        for other in sorted(named.get(way[-1], ())):
            if other == start:
                return [*way, start]
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return None


def _bracketed(field: str) -> str:
    """Write places in lists as rules do: ``consent[0]``."""
    parts = field.split(".")
    return "".join(f"[{part}]" if part.isdecimal() else f".{part}" for part in parts).removeprefix(
        "."
    )


def _place(field: str) -> Place:
    """Read the path of a problem, for its line."""
    parts = field.replace("[", ".").replace("]", "").split(".")
    return tuple(int(part) if part.isdecimal() else part for part in parts)
