"""
Expressions and short templates that people write into settings, in Jinja's own words.

They are small on purpose: they read values, compare them and join texts. There are no calls, no
loops, no variables of their own, no attributes of Python objects; operators are for numbers, and
every filter's result is bounded. What one of them costs is linear in its length and in what it
reads, so a sender cannot hang in one. Errors name the rule that was broken, never a value.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from jinja2 import ChainableUndefined, Environment, StrictUndefined, TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.parser import Parser
from jinja2.runtime import Context, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from smsflow_provider.core.expression_filters import FILTERS

#: Characters of one expression or template.
MOST_CHARACTERS: Final = 10_000
#: Levels of parentheses, filters and operators within each other.
MOST_LEVELS: Final = 40

_IN_EXPRESSIONS: Final = (
    *(nodes.Const, nodes.Name, nodes.Getattr, nodes.Getitem, nodes.List, nodes.Tuple),
    *(nodes.CondExpr, nodes.Filter, nodes.Test, nodes.Keyword, nodes.Compare, nodes.Operand),
    *(nodes.And, nodes.Or, nodes.Not, nodes.Concat, nodes.Neg),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
)
_IN_TEMPLATES: Final = (*_IN_EXPRESSIONS, nodes.Output, nodes.TemplateData, nodes.If)
_TESTS: Final = frozenset(
    [
        *("defined", "undefined", "none", "string", "number", "integer", "boolean"),
        *("mapping", "sequence", "true", "false"),
    ]
)
_HINTS: Final[Mapping[type[nodes.Node], str]] = {
    nodes.Call: "a call is not allowed: use a filter, {{ name | upper }}",
    nodes.For: "a loop is not allowed",
    nodes.Assign: "set is not allowed",
    nodes.Pow: "** is not allowed",
    nodes.Slice: "a slice is not allowed: use the filters before and after",
}
#: A product of larger ones could take minutes.
_MOST_NUMBER: Final = 10**18
#: The filter that stands in for ``~``. No name a template can write.
_JOINED: Final = "~"
#: What may go wrong while one is compiled or computed, besides Jinja's own errors.
_MISHAPS: Final = (TypeError, ValueError, ArithmeticError, LookupError, RecursionError)


class EvaluationError(ValueError):
    """An expression could not be computed for these values. Says no value."""


class _Sandbox(ImmutableSandboxedEnvironment):
    """Looks up keys and places only, never an attribute; computes with numbers only."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not (_is_number(left) and _is_number(right)):
            raise SecurityError(f"{operator} is for numbers of common size; ~ joins texts")
        return super().call_binop(context, operator, left, right)

    def getattr(self, obj: Any, attribute: str) -> Any:
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, Mapping) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        if isinstance(obj, (list, tuple)) and type(argument) is int:
            place = argument if argument >= 0 else argument + len(obj)
            if 0 <= place < len(obj):
                return obj[place]
        return obj if isinstance(obj, Undefined) else self.undefined(name=str(argument)[:50])


def _is_number(value: Any) -> bool:
    is_plain = isinstance(value, (int, float)) and not isinstance(value, bool)
    return is_plain and abs(value) <= _MOST_NUMBER


def _joined(pieces: list[object]) -> str | None:
    """Join texts; with None it gives None, where Jinja's own ``~`` writes the word."""
    if any(piece is None or isinstance(piece, ChainableUndefined) for piece in pieces):
        return None
    return FILTERS["join"](pieces)  # type: ignore[no-any-return]


class _Joins(NodeTransformer):
    """Puts our own joining in place of ``~``."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802  Jinja's name
        self.generic_visit(node)
        pieces = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(pieces, _JOINED, [], [], None, None, lineno=node.lineno)


def _environment(undefined: type[Undefined], *, autoescape: bool = False) -> _Sandbox:
    made = _Sandbox(
        autoescape=autoescape,
        undefined=undefined,
        keep_trailing_newline=True,
        finalize=lambda value: "" if value is None else value,
        optimized=False,  # what is constant is computed with the rest, where errors are caught
        cache_size=0,
    )
    made.globals.clear()
    made.filters = {**FILTERS, _JOINED: _joined}
    made.tests = {name: made.tests[name] for name in _TESTS}
    return made


#: Reads answers, where anything may be missing: what is missing is None in the end.
_LENIENT: Final = _environment(ChainableUndefined)
#: Writes requests, where nothing may be missing.
_STRICT: Final = _environment(StrictUndefined)
_MARKUP: Final = _environment(StrictUndefined, autoescape=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expression:
    """One that was read and may be computed, as often as it takes, in any thread."""

    #: The values it reads.
    names: frozenset[str]
    compute: Callable[[Mapping[str, object]], Any]

    def __call__(self, values: Mapping[str, object]) -> Any:
        """
        Compute it.

        Raises:
            EvaluationError: It does not fit these values.
        """
        try:
            return self.compute(values)
        except (TemplateError, *_MISHAPS) as error:
            # Jinja's and Python's sentences may quote a value; the type does not.
            problem = EvaluationError(f"cannot be computed: {type(error).__name__}")
        raise problem


def read_expression(source: str, *, names: Collection[str]) -> Expression:
    """
    Read an expression; computed, it gives a plain value, None for what is missing.

    Args:
        source: The expression, without braces.
        names: The values it may read.

    Raises:
        ValueError: It cannot be parsed, or breaks a rule; all of them at once.

    Example:
        >>> ask = read_expression("json.rows[0].code in ('0', '3')", names=["json"])
        >>> ask({"json": {"rows": [{"code": "0"}]}}), ask({"json": {}}), ask({"json": None})
        (True, False, False)
    """
    tree = _parsed(source, _parse_expression)
    used = _checked(tree, names=names, allowed=_IN_EXPRESSIONS)
    return Expression(names=used, compute=_computing(_LENIENT, _Joins().visit(tree)))


def read_template(source: str, *, names: Collection[str], markup: bool = False) -> Expression:
    """
    Read a template; computed, it gives a text. One that is a single ``{{ … }}`` and nothing else
    gives the value itself: a number stays a number, and None stays None.

    Args:
        source: A text with expressions in ``{{ }}`` and ``{% if %}``.
        names: The values it may read.
        markup: Escape every value for XML, and always give a text.

    Raises:
        ValueError: It cannot be parsed, or breaks a rule; all of them at once.

    Example:
        >>> read_template("Bearer {{ password }}", names=["password"])({"password": "k"})
        'Bearer k'
        >>> read_template("{{ parts * 2 }}", names=["parts"])({"parts": 3})
        6
    """
    tree = _parsed(source, _STRICT.parse)
    used = _checked(tree, names=names, allowed=_IN_TEMPLATES)
    tree = _Joins().visit(tree)
    alone = None if markup else _single_value(tree)
    if alone is not None:
        return Expression(names=used, compute=_computing(_STRICT, alone))
    sandbox = _MARKUP if markup else _STRICT
    tree.set_environment(sandbox)
    template = sandbox.from_string(tree)
    return Expression(names=used, compute=lambda values: str(template.render(values)))


def _parse_expression(source: str) -> nodes.Node:
    parser = Parser(_LENIENT, source, state="variable")
    tree = parser.parse_expression()
    if not parser.stream.eos:
        parser.fail("something stands behind the expression")
    return tree


def _parsed(source: str, parse: Callable[[str], nodes.Node]) -> Any:
    if len(source) > MOST_CHARACTERS:
        raise ValueError(f"is longer than {MOST_CHARACTERS} characters")
    try:
        tree = parse(source)
    except TemplateError as error:
        problem = f"cannot be parsed: {error.message}"
    except RecursionError:
        problem = "is nested too deeply"
    else:
        if _levels(tree, most=MOST_LEVELS) <= MOST_LEVELS:
            return tree
        problem = "is nested too deeply"
    raise ValueError(problem)


def _levels(tree: nodes.Node, *, most: int) -> int:
    """Count the levels, level by level, so that a deep tree costs no deep stack."""
    level, count = [tree], 0
    while level and count <= most:
        level = [child for node in level for child in node.iter_child_nodes()]
        count += 1
    return count


def _checked(
    tree: nodes.Node, *, names: Collection[str], allowed: tuple[type[nodes.Node], ...]
) -> frozenset[str]:
    every = [tree, *tree.find_all(nodes.Node)]
    problems = [text for node in every for text in _problems_of(node, names, allowed)]
    if problems:
        raise ValueError("; ".join(dict.fromkeys(problems)))
    return frozenset(node.name for node in every if isinstance(node, nodes.Name))


def _problems_of(
    node: Any, names: Collection[str], allowed: tuple[type[nodes.Node], ...]
) -> Iterator[str]:
    if isinstance(node, nodes.Name) and node.name not in names:
        yield _unknown("name", node.name, names)
    elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
        yield _unknown("filter", node.name, FILTERS)
    elif isinstance(node, nodes.Test) and node.name not in _TESTS:
        yield _unknown("test", node.name, _TESTS)
    elif isinstance(node, nodes.CondExpr) and node.expr2 is None:
        yield "an inline if needs its else"
    elif not isinstance(node, (*allowed, nodes.Template)):
        yield _HINTS.get(type(node), f"{type(node).__name__} is not allowed")


def _unknown(kind: str, given: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(given, known, n=1)
    hint = f", meant is perhaps {near[0]!r}" if near else f"; known are {', '.join(sorted(known))}"
    return f"unknown {kind} {given!r}{hint}"


def _single_value(tree: nodes.Template) -> nodes.Node | None:
    outputs: list[Any] = tree.body
    if len(outputs) == 1 and isinstance(outputs[0], nodes.Output):
        inner = outputs[0].nodes
        if len(inner) == 1 and not isinstance(inner[0], nodes.TemplateData):
            return inner[0]
    return None


def _computing(sandbox: Environment, tree: Any) -> Callable[[Mapping[str, object]], Any]:
    tree.set_environment(sandbox)
    body = [nodes.Assign(nodes.Name("result", "store"), tree, lineno=1)]
    template = sandbox.from_string(nodes.Template(body, lineno=1))

    def compute(values: Mapping[str, object]) -> Any:
        context = template.new_context(dict(values))
        for _ in template.root_render_func(context):
            pass
        found = context.vars["result"]
        if isinstance(found, Undefined):
            return None if isinstance(found, ChainableUndefined) else str(found)
        return found

    return compute
