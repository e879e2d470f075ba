"""
The text of a template as a tree, and the sandbox it is rendered in.

The limits keep a text quick and harmless whatever the rows hold: no calls, no imports, no
loop within a loop, only the filters named here, arithmetic on numbers only. They are no
defence against the author of a template, who can write DAG files as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from numbers import Number
from typing import Any, Final

from jinja2 import StrictUndefined, UndefinedError, nodes, pass_context
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from smsflow_provider.core.content.blocks import Spliced, file_of, splice
from smsflow_provider.core.content.encoding import refused_characters
from smsflow_provider.core.content.filters import FILTERS
from smsflow_provider.core.content.problem import Problem, near

# Jinja's filters that are pure, quick and write no HTML.
_PLAIN_FILTERS: Final = frozenset(
    [
        *("abs", "capitalize", "count", "d", "default", "first", "float", "format", "int"),
        *("join", "last", "length", "list", "lower", "max", "min", "replace", "reverse"),
        *("round", "sort", "string", "sum", "trim", "truncate", "unique", "upper", "wordcount"),
    ]
)
_ALLOWED: Final = (
    *(nodes.Output, nodes.TemplateData, nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem),
    *(nodes.If, nodes.CondExpr, nodes.For, nodes.With, nodes.Assign, nodes.AssignBlock),
    *(nodes.Filter, nodes.FilterBlock, nodes.Test, nodes.Keyword, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div),
    *(nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos, nodes.Slice),
    *(nodes.List, nodes.Tuple, nodes.Dict, nodes.Pair),
)
_NOT_ALLOWED: Final[dict[type[nodes.Node], tuple[str, str]]] = {
    nodes.Call: ("a call is not allowed", "use a filter: {{ name | upper }}"),
    nodes.Extends: ("extends is not allowed", "a template stands alone"),
    nodes.Import: ("import is not allowed", "a template stands alone"),
    nodes.FromImport: ("import is not allowed", "a template stands alone"),
    nodes.Macro: ("a macro is not allowed", "write the text out"),
    nodes.Block: ("a block is not allowed", "a template stands alone"),
    nodes.Pow: ("** is not allowed", ""),
    nodes.ScopedEvalContextModifier: ("autoescape is not allowed", "an SMS is plain text"),
}
# Names Jinja gives a meaning of its own, so that no column can be reached by them.
_RESERVED: Final = frozenset({"self", "super", "caller", "varargs", "kwargs"})
_NO_BLOCKS: Final[Mapping[str, str]] = {}

Finding = tuple[str, str]


class Sandbox(ImmutableSandboxedEnvironment):
    """Renders texts: no globals, no HTML, strict, arithmetic on numbers only."""

    intercepted_binops = frozenset({"*", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        """Refuse to repeat or format a text by an operator: it can grow without end."""
        if not (isinstance(left, Number) and isinstance(right, Number)):
            raise SecurityError("* and % are for numbers")
        return super().call_binop(context, operator, left, right)


def make_sandbox(filters: Mapping[str, Callable[..., str]]) -> Sandbox:
    """Make an environment whose filters are *filters* and Jinja's plain ones."""
    sandbox = Sandbox(
        autoescape=False,
        undefined=StrictUndefined,
        finalize=_refuse_none,
        keep_trailing_newline=True,
        # What is the same in every row is computed where rendering has a budget, never where a
        # text is only read.
        optimized=False,
    )
    sandbox.globals.clear()
    plain = {name: sandbox.filters[name] for name in _PLAIN_FILTERS}
    sandbox.filters = {**plain, **filters}
    return sandbox


@pass_context  # so that constants, too, are finalised when they are rendered
def _refuse_none(_: Context, value: object) -> object:
    """A customer must never read the word None."""
    if value is None:
        raise UndefinedError("a value is None")
    return value


def read_body(
    body: str, *, first_line: int, blocks: Mapping[str, str] = _NO_BLOCKS, field: str = "body"
) -> tuple[Spliced, list[Problem]]:
    """
    Parse *body* with its blocks and look for what a template must not contain.

    Args:
        body: The text of one language.
        first_line: Line of the file at which it begins.
        blocks: Name to text of the blocks there are.
        field: What its problems are about.

    Returns:
        The spliced text, whose tree is None if it cannot be parsed, and all problems.
    """
    spliced = splice(body, sandbox=make_sandbox(FILTERS), blocks=blocks, first_line=first_line)
    found = [replace(problem, field=field) for problem in spliced.problems]
    if not body.strip():
        found.append(Problem(text="the text is empty", field=field, line=first_line))
    if spliced.tree is not None:
        for line, (text, hint) in _findings_in(spliced.tree):
            block, own_line = spliced.places.of(line)
            file = file_of(block, blocks)
            found.append(Problem(text=text, hint=hint, field=field, line=own_line, file=file))
    return spliced, list(dict.fromkeys(found))


def _findings_in(tree: nodes.Template) -> Iterator[tuple[int, Finding]]:
    for node in tree.find_all(nodes.Node):
        for finding in _findings_of(node):
            yield node.lineno or 1, finding
        if isinstance(node, nodes.TemplateData):
            yield from _refused_in(node)


def _refused_in(node: nodes.TemplateData) -> Iterator[tuple[int, Finding]]:
    for position, name in refused_characters(node.data):
        line = node.lineno + node.data.count("\n", 0, position)
        yield line, (f"the character {name} cannot be sent", "")


def _findings_of(node: nodes.Node) -> Iterator[Finding]:
    if type(node) in _NOT_ALLOWED:
        yield _NOT_ALLOWED[type(node)]
    elif not isinstance(node, (*_ALLOWED, *_NOT_ALLOWED)):
        yield f"{type(node).__name__} is not allowed", ""
    check = _CHECKS.get(type(node))
    found = check(node) if check else None
    if found:
        yield found


def _check_filter(node: Any) -> Finding | None:
    known = _PLAIN_FILTERS | set(FILTERS)
    return None if node.name in known else (f"unknown filter {node.name!r}", near(node.name, known))


def _check_test(node: Any) -> Finding | None:
    known = _TESTS
    return None if node.name in known else (f"unknown test {node.name!r}", near(node.name, known))


def _check_attribute(node: Any) -> Finding | None:
    return ("a name that begins with _ is not allowed", "") if node.attr.startswith("_") else None


def _check_name(node: Any) -> Finding | None:
    if node.name in _RESERVED or node.name.startswith("_"):
        return f"{node.name!r} cannot be the name of a field", "name the column otherwise"
    return None


def _check_loop(node: Any) -> Finding | None:
    if node.recursive:
        return "a recursive loop is not allowed", ""
    inner = node.find(nodes.For)
    return None if inner is None else ("a loop within a loop is not allowed", "")


def _check_inline_if(node: Any) -> Finding | None:
    return None if node.expr2 is not None else ("an inline if needs its else", "... else ''")


_TESTS: Final = frozenset(Sandbox().tests)
_CHECKS: Final[dict[type[nodes.Node], Callable[[Any], Finding | None]]] = {
    nodes.Filter: _check_filter,
    nodes.Test: _check_test,
    nodes.Getattr: _check_attribute,
    nodes.Name: _check_name,
    nodes.For: _check_loop,
    nodes.CondExpr: _check_inline_if,
}
