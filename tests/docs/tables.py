"""
Tables of the docs, printed from the code.

A page holds each between ``<!-- table: NAME -->`` and ``<!-- end -->``. A test fails when one is
stale; ``python -m tests.docs.tables`` writes them anew.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from smsflow_provider.core import errors
from smsflow_provider.core.audience.rules import dimension
from smsflow_provider.core.audience.rules.plan import Kind
from smsflow_provider.core.audience.rules.rule import Comparison
from smsflow_provider.core.audience.rules.values import FITTING
from smsflow_provider.core.content import blocks, encoding, render, render_process, render_rows
from smsflow_provider.core.content.examine import Check
from smsflow_provider.core.content.filters import FILTERS
from smsflow_provider.core.content.sending_settings import (
    Failover,
    PauseWhen,
    SendingSettings,
    Waves,
)
from smsflow_provider.core.content.settings import MissingPolicy, OptOutPolicy, TemplateSettings
from smsflow_provider.core.delivery import by_author
from smsflow_provider.core.document import judge, tree
from smsflow_provider.core.expression_filters import FILTERS as EXPRESSION_FILTERS
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.gateways.error_table import ErrorTable
from smsflow_provider.core.gateways.registry import feature_table
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation import (
    condition_text,
    population,
    preview,
    row_rules,
    rule_columns,
    short_texts,
    typology,
)
from smsflow_provider.core.preparation.condition_text import FUNCTIONS
from smsflow_provider.core.preparation.figures import FIGURE_TYPES, Figures
from smsflow_provider.core.preparation.number_value import NumberKind, NumberProblem
from smsflow_provider.core.states import MOVES, PauseReason
from smsflow_provider.core.workflow.schedule import Schedule
from smsflow_provider.core.workflow.spec import BuildAudience, SmsDelivery, Workflow

ROOT = Path(__file__).parents[2]
_TABLE = re.compile(
    r"(?P<head><!-- table: (?P<name>[\w-]+) -->\n).*?(?P<tail><!-- end -->)", re.DOTALL
)


def pages() -> list[Path]:
    """List the pages: the README, the changelog and everything in docs."""
    return [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]


def filled(text: str) -> str:
    """Write every table of a page anew."""
    return _TABLE.sub(
        lambda found: f"{found['head']}{TABLES[found['name']]()}{found['tail']}", text
    )


def fields_table(model: type[BaseModel]) -> str:
    """Show the fields of a model: name as it is written, default, and its comment."""
    comments = _comments_with_bases(model)
    properties = _properties(model, by_alias=True)
    rows = []
    for name, field in model.model_fields.items():
        written = field.alias or name
        default = "**required**" if field.is_required() else _shown(properties[written])
        rows.append((f"`{written}`", default, _meaning(comments.get(name, ""), model, name)))
    return table(("field", "default", "meaning"), rows)


def _properties(model: type[BaseModel], *, by_alias: bool) -> dict[str, Any]:
    schema = model.model_json_schema(by_alias=by_alias)
    # A model that holds itself is among the definitions.
    own: dict[str, Any] = schema if "properties" in schema else schema["$defs"][model.__name__]
    properties: dict[str, Any] = own["properties"]
    return properties


def _comments_with_bases(model: type[BaseModel]) -> dict[str, str]:
    kinds = [each for each in reversed(model.__mro__) if each.__module__ == model.__module__]
    return {name: text for each in kinds for name, text in comments_of(each) if text}


def comments_of(thing: type) -> Iterator[tuple[str, str]]:
    """Read the ``#:`` lines before each field or member of a class."""
    source = inspect.getsource(thing)
    lines = source.splitlines()
    (body,) = ast.parse(textwrap.dedent(source)).body
    assert isinstance(body, ast.ClassDef)
    for node in body.body:
        target = node.target if isinstance(node, ast.AnnAssign) else None
        if isinstance(node, ast.Assign):
            target = node.targets[0] if isinstance(node.targets[0], ast.Name) else None
        if isinstance(target, ast.Name):
            yield target.id, " ".join(_comment_before(lines, node.lineno - 1))


def _comment_before(lines: list[str], place: int) -> list[str]:
    found: list[str] = []
    while place and lines[place - 1].strip().startswith("#:"):
        place -= 1
        found.insert(0, lines[place].strip().removeprefix("#:").strip())
    return found


def _meaning(comment: str, model: type[BaseModel], name: str) -> str:
    choices = _properties(model, by_alias=False)[name].get("enum", [])
    words = _markdown(comment) or _PLAIN.get(name, "")
    missing = [choice for choice in choices if choice not in words]
    return f"{words} One of {', '.join(f'`{one}`' for one in choices)}." if missing else words


def _markdown(text: str) -> str:
    return re.sub(r"``([^`]*)``", r"`\1`", text)


#: What a name says that has no comment of its own.
_PLAIN = {
    "kind": "The kind of activity.",
    "owner": "Owner of the DAG.",
    "tags": "Tags of the DAG.",
    "transliteration": "What becomes of characters that GSM 7-bit lacks; see below.",
    "missing": "What becomes of a recipient whose row lacks a field; see below.",
    "opt_out_policy": "What becomes of a marketing text without an opt-out mention; see below.",
}


def _shown(given: Mapping[str, Any]) -> str:
    default = given.get("default")
    if isinstance(default, dict) and default:
        return "see below"
    if default in (None, "", [], {}) or ("default" not in given):
        return "none"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


def figures_table() -> str:
    """Show what a control may ask: names, types and comments."""
    comments = dict(comments_of(Figures))
    rows = [
        (f"`{name}`", _PLAIN_TYPES[str(kind)], _markdown(comments[name]))
        for name, kind in FIGURE_TYPES.items()
    ]
    return table(("figure", "type", "meaning"), rows)


_PLAIN_TYPES = {
    "Int64": "number",
    "Float64": "number",
    "String": "text",
    "Boolean": "true or false",
    "Date": "date",
}


def functions_list() -> str:
    """Name the functions of conditions."""
    return f"{', '.join(f'`{name}`' for name in sorted(FUNCTIONS))}\n"


def moves_table() -> str:
    """Show what may follow each state of a delivery."""
    rows = [
        (f"`{state.value}`", ", ".join(f"`{one.value}`" for one in _in_order(after)) or "nothing")
        for state, after in MOVES.items()
    ]
    return table(("from", "to"), rows)


def _in_order(states: Iterable[Any]) -> list[Any]:
    order = list(MOVES)
    return sorted(states, key=order.index)


def filters_table() -> str:
    """Show our filters: what each does, and its example."""
    rows = [
        (f"`{name}`", _first_sentence(function), _example_of(function))
        for name, function in FILTERS.items()
    ]
    return table(("filter", "what it does", "example"), rows)


def _first_sentence(function: Callable[..., object]) -> str:
    paragraph = (inspect.getdoc(function) or "").split("\n\n")[0]
    return _markdown(" ".join(paragraph.split()))


def _example_of(function: Callable[..., object]) -> str:
    lines = (inspect.getdoc(function) or "").splitlines()
    place = next(place for place, line in enumerate(lines) if ">>>" in line)
    call, result = lines[place].strip().removeprefix(">>> "), lines[place + 1].strip()
    return f"`{call}` gives `{result}`".replace("|", "\\|")


def enum_table(kind: type[StrEnum]) -> str:
    """Show the members of an enumeration and their comments."""
    comments = dict(comments_of(kind))
    rows = [(f"`{one.value}`", _markdown(comments.get(one.name, ""))) for one in kind]
    return table(("value", "meaning"), rows)


def errors_tree() -> str:
    """Show the tree of errors as its module draws it."""
    drawing = (errors.__doc__ or "").split("\n\n")[1]
    return f"```text\n{drawing}\n```\n"


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Write a table in Markdown."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


#: Limits that are no settings: a module, a constant of it, and its unit.
_LIMITS = (
    (render, "MAX_CHARACTERS", "characters"),
    (encoding, "MAX_PARTS", "parts"),
    (blocks, "MAX_DEPTH", "blocks"),
    (blocks, "MAX_INCLUDES", "includes"),
    (render_process, "CHUNK_S", "s"),
    (render_process, "ROW_S", "s"),
    (render_process, "MEMORY_MIB", "MiB"),
    (render_rows, "MOST_BLAMED", "rows"),
    (row_rules, "MOST_FILTERS", "filters"),
    (condition_text, "LONGEST", "characters"),
    (rule_columns, "HIGHEST_THRESHOLD", "messages"),
    (short_texts, "MOST_TEXTS", "texts"),
    (by_author, "MOST_TEXTS", "messages"),
    (preview, "MOST_SHOWN", "messages"),
    (judge, "MOST_BYTES", "bytes"),
    (tree, "MOST_NODES", "nodes"),
)


def limits_table() -> str:
    """Show what cannot be set: the comment of each constant, and its value."""
    rows = []
    for module, name, unit in _LIMITS:
        lines = inspect.getsource(module).splitlines()
        place = next(n for n, line in enumerate(lines) if re.match(rf"{name}\b", line))
        comment = " ".join(_comment_before(lines, place))
        assert comment, f"{module.__name__}.{name} has no comment"
        rows.append((_markdown(comment), f"{getattr(module, name):,} {unit}".replace(".0 ", " ")))
    return table(("limit", "value"), rows)


def expression_filters_table() -> str:
    """Show the filters of expressions in settings."""
    rows = [
        (f"`{name}`", _markdown(str(inspect.getdoc(function)).replace("*", "")))
        for name, function in sorted(EXPRESSION_FILTERS.items())
    ]
    return table(("filter", "what it does"), rows)


def errors_table(errors: ErrorTable) -> str:
    """Show the codes of a gateway, its default first."""
    rows = [errors.default, *errors.rows.values()]
    return table(
        ("code", "becomes", "the number", "meaning"),
        [(f"`{row.code}`", row.error_class.value, row.hardness.value, row.meaning) for row in rows],
    )


def dimension_table() -> str:
    """Show what the file of a dimension may say; its name is not in it."""
    lines = fields_table(dimension.Dimension).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith("| `name` |"))


def comparisons_table() -> str:
    """Show what each kind of column can be compared by."""
    rows = [
        (f"`{kind}`", ", ".join(f"`{each}`" for each in Comparison if each in FITTING[kind]))
        for kind in Kind
    ]
    return table(("type", "comparisons"), rows)


TABLES: Mapping[str, Callable[[], str]] = {
    "workflow": lambda: fields_table(Workflow),
    "dimension": dimension_table,
    "dimension-column": lambda: fields_table(dimension.ColumnSpec),
    "dimension-link": lambda: fields_table(dimension.Link),
    "comparisons": comparisons_table,
    "schedule": lambda: fields_table(Schedule),
    "build-audience": lambda: fields_table(BuildAudience),
    "sms-delivery": lambda: fields_table(SmsDelivery),
    "front-matter": lambda: fields_table(TemplateSettings),
    "missing": lambda: enum_table(MissingPolicy),
    "opt-out-policy": lambda: enum_table(OptOutPolicy),
    "filters": filters_table,
    "typology": lambda: fields_table(typology.Typology),
    "control-rule": lambda: fields_table(typology.ControlRule),
    "control-level": lambda: enum_table(typology.ControlLevel),
    "filter-rule": lambda: fields_table(typology.FilterRule),
    "pressure-rule": lambda: fields_table(typology.PressureRule),
    "applies-when": lambda: fields_table(typology.Applies),
    "population": lambda: fields_table(population.Population),
    "numbers-policy": lambda: fields_table(population.Numbers),
    "duplicates-rule": lambda: fields_table(population.Duplicates),
    "winner": lambda: enum_table(population.Winner),
    "share": lambda: fields_table(population.Share),
    "size-limit": lambda: fields_table(population.SizeLimit),
    "figures": figures_table,
    "condition-functions": functions_list,
    "lint": lambda: enum_table(Check),
    "gateway-features": feature_table,
    "twilio-errors": lambda: errors_table(ErrorTable.of("twilio")),
    "expression-filters": expression_filters_table,
    "splits": lambda: enum_table(Split),
    "exclusions": lambda: enum_table(Exclusion),
    "number-problems": lambda: enum_table(NumberProblem),
    "number-kinds": lambda: enum_table(NumberKind),
    "moves": moves_table,
    "errors": errors_tree,
    "pause-reasons": lambda: enum_table(PauseReason),
    "sending": lambda: fields_table(SendingSettings),
    "failover": lambda: fields_table(Failover),
    "pause-when": lambda: fields_table(PauseWhen),
    "waves": lambda: fields_table(Waves),
    "log-events": lambda: enum_table(LogEvent),
    "limits": limits_table,
}


def main() -> None:
    """Write the tables of all pages anew."""
    for page in pages():
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")


if __name__ == "__main__":
    main()
