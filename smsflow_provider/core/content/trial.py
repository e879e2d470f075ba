"""
Try a template before there is a delivery: its texts with the values that make them longest.

Which values go together in one row is not known, so all combinations are tried, also those of no
recipient; that a text *can* be so long is all that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any, Final

from jinja2 import nodes

from smsflow_provider.core.content.blocks import splice
from smsflow_provider.core.content.body import make_sandbox
from smsflow_provider.core.content.encoding import MAX_PARTS, encoding_of, measure
from smsflow_provider.core.content.filters import FILTERS
from smsflow_provider.core.content.finish import finished
from smsflow_provider.core.content.render import Failed, VariantRenderer
from smsflow_provider.core.content.settings import TemplateSettings
from smsflow_provider.core.content.template import Template
from smsflow_provider.core.model import Encoding

#: Combinations of values that are all tried; of more, each value once beside the longest others.
MOST_COMBINATIONS: Final = 4_096
#: Way of cutting where the gateway is not known: the largest number of parts counts.
SPLIT: Final = "unknown"
_NUMERIC_FILTERS: Final = frozenset({"money", "int", "float", "round", "abs"})
_ARITHMETIC: Final = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)
_SOME_DATE: Final = "2026-12-28T12:34:56"


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of the rows that will fill a template."""

    #: Columns of the audience. None: not known.
    columns: frozenset[str] | None = None
    #: Column to values that can make a text long or change its way. Personal data.
    values: Mapping[str, tuple[object, ...]] = field(default_factory=dict, repr=False)
    #: Those of ``values`` that are all a column holds.
    complete: frozenset[str] = frozenset()
    #: Column to the length of its longest value, where the value itself is not known.
    lengths: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sized:
    """One text of a trial, with what it would cost."""

    #: As the template gave it.
    rendered: str = field(repr=False)
    #: As it would leave.
    text: str = field(repr=False)
    encoding: Encoding
    units: int
    #: 256 stands for more than 255.
    parts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The texts of one language, with all values worth trying."""

    texts: tuple[Sized, ...]
    #: The text of most parts, of these the one of most units. None: no row gave a text.
    longest: Sized | None
    #: Fields nothing is known of: one character, or a small number, stood in for each.
    unknown: tuple[str, ...]
    #: Why rows gave no text, each reason once.
    reasons: tuple[str, ...]


def try_out(template: Template, code: str, known: Known) -> Trial:
    r"""
    Render the text of the language *code* with the values worth trying.

    Args:
        template: The template.
        code: One of its languages; empty: the default one.
        known: What is known of the rows.

    Example:
        >>> from smsflow_provider.core.content.template import read_template
        >>> template = read_template("---\nsender: ACME\n---\nHi {{ name }}", name="hi")
        >>> try_out(template, "", Known(lengths={"name": 200})).longest.parts
        2
    """
    variant = template.variant(code)
    tree = splice(variant.body, sandbox=make_sandbox(FILTERS), blocks=variant.blocks).tree
    hints = _Hints(tree or nodes.Template([]))
    choices = {name: _choices_of(name, known, hints) for name in variant.fields}
    for name in set(variant.fields) - set(variant.required) - set(variant.defaults):
        choices[name].append(None)
    rows = list(_rows_of(choices))
    columns = {name: [row[name] for row in rows] for name in choices}
    rendered = VariantRenderer(variant).render_chunk(columns, count=len(rows))
    texts = dict.fromkeys(one for one in rendered if isinstance(one, str))
    sized = tuple(size_of(text, template.settings) for text in texts)
    failed = [one.reason for one in rendered if isinstance(one, Failed)]
    return Trial(
        texts=sized,
        longest=max(sized, key=lambda one: (one.parts, one.units), default=None),
        unknown=tuple(name for name in variant.fields if _is_unknown(name, known)),
        reasons=tuple(dict.fromkeys(failed)),
    )


def size_of(rendered: str, settings: TemplateSettings) -> Sized:
    """Finish one rendered text, with the longest mention there is, and measure it."""
    countries = [None, *settings.opt_out_mentions]
    country = max(countries, key=lambda one: len(settings.mention_for(one) or ""))
    text = finished(rendered, settings, country=country)
    try:
        found = measure(text, split=SPLIT)
    except ValueError:
        encoding, units, parts = encoding_of(text), len(text), MAX_PARTS + 1
    else:
        encoding, units, parts = found.encoding, found.units, found.parts
    return Sized(rendered=rendered, text=text, encoding=encoding, units=units, parts=parts)


def _is_unknown(name: str, known: Known) -> bool:
    return name not in known.values and name not in known.lengths


def _rows_of(choices: Mapping[str, list[object]]) -> Iterator[dict[str, object]]:
    if prod(map(len, choices.values())) <= MOST_COMBINATIONS:
        yield from (dict(zip(choices, row, strict=True)) for row in product(*choices.values()))
        return
    first = {name: values[0] for name, values in choices.items()}
    yield first
    for name, values in choices.items():
        yield from (first | {name: value} for value in values[1:])


def _choices_of(name: str, known: Known, hints: _Hints) -> list[object]:
    if name in known.values:
        found = [value for value in known.values[name] if value is not None] or [None]
        more = () if name in known.complete else hints.constants.get(name, ())
        alike = [one for one in more if any(type(one) is type(value) for value in found)]
        return [*found, *alike]
    return [hints.invented(name, length=known.lengths.get(name, 1)), *hints.constants.get(name, ())]


class _Hints:
    """What a text does with its fields, which tells what they may hold."""

    def __init__(self, tree: nodes.Template) -> None:
        self.numeric: set[str] = set()
        self.dates: set[str] = set()
        self.lists: set[str] = set()
        self.constants: dict[str, list[object]] = {}
        for one in tree.find_all(nodes.Filter):
            kind = self.dates if one.name == "date" else self.numeric
            if one.name == "date" or one.name in _NUMERIC_FILTERS:
                kind.update(_fields_of(one.node))
        for sum_ in tree.find_all(_ARITHMETIC):
            self.numeric.update([*_fields_of(sum_.left), *_fields_of(sum_.right)])
        for loop in tree.find_all(nodes.For):
            self.lists.update(_fields_of(loop.iter))
        for compared in tree.find_all(nodes.Compare):
            self._learn([compared.expr, *(operand.expr for operand in compared.ops)])

    def _learn(self, sides: list[nodes.Expr]) -> None:
        """Take the constants a field is compared with; of a number, those around it as well."""
        constants = [one.value for side in sides for one in _constants_in(side)]
        names = [name for side in sides for name in _fields_of(side)]
        for name in names:
            for value in constants:
                is_number = isinstance(value, int | float) and not isinstance(value, bool)
                tried = [value - 1, value, value + 1] if is_number else [value]
                self.constants.setdefault(name, []).extend(tried)
                self.numeric.update([name] if is_number else [])

    def invented(self, name: str, *, length: int) -> object:
        """Make a value of *length* characters, of the kind the text works with."""
        if name in self.dates:
            return _SOME_DATE
        if name in self.numeric:
            return int("9" * min(length, 15))
        return ["M" * length] if name in self.lists else "M" * length


def _constants_in(side: nodes.Expr) -> Iterator[nodes.Const]:
    return iter([side]) if isinstance(side, nodes.Const) else side.find_all(nodes.Const)


def _fields_of(node: Any) -> list[str]:
    """Name the field that *node* is, below its filters."""
    while isinstance(node, nodes.Filter):
        node = node.node
    return [node.name] if isinstance(node, nodes.Name) else []
