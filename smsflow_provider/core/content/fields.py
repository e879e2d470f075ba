"""
Which fields of the row a text uses, and which of them it cannot do without.

A field is *optional* when every use of it is guarded, *required* otherwise. Guards are:

* the value before ``default``: ``{{ city | default("your town") }}``;
* ``is defined`` and ``is undefined``;
* the truth of it in a condition, also under ``not``, ``and``, ``or``, and left of ``or`` in
  an expression: ``{% if city %}``, ``{{ "a" if city else "b" }}``, ``{{ city or "town" }}``;
* every use where such a condition has made sure of it: inside ``{% if city %}``, right of
  ``city and``, in the ``else`` of ``{% if not city %}``.

Whether a recipient lacks a field is thus decided before rendering, by the text alone and not
by the way one row takes through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

from jinja2 import meta, nodes

Names = frozenset[str]
_NONE: Names = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Uses:
    """What one text reads from the row, sorted."""

    fields: tuple[str, ...]
    #: Those of ``fields`` with at least one unguarded use.
    required: tuple[str, ...]


def uses_of(tree: nodes.Template) -> Uses:
    """Say which fields a text reads, and which of them it cannot do without."""
    return Uses(fields=tuple(sorted(fields_of(tree))), required=tuple(sorted(required_in(tree))))


def fields_of(tree: nodes.Template) -> Names:
    """Names the text reads from the row. A name it sets is its own, never a field."""
    # As meta.find_undeclared_variables, which would compute every constant on its way.
    generator = meta.TrackingCodeGenerator(cast("Any", tree.environment))
    generator.optimizer = None
    generator.visit(tree)
    return frozenset(generator.undeclared_identifiers) - _assigned_in(tree)


def read_before_set(tree: nodes.Template) -> Names:
    """Names the text sets and reads before that: nobody could tell which value is meant."""
    own, done = _assigned_in(tree), set[str]()
    early: set[str] = set()
    for name in _names_in_order(tree):
        if name.ctx == "store":
            done.add(name.name)
        elif name.name in own - done:
            early.add(name.name)
    return frozenset(early)


def required_in(tree: nodes.Template) -> Names:
    """Those of ``fields_of`` that have at least one unguarded use."""
    return frozenset(_uses_in(tree.iter_child_nodes(), sure=_NONE)) & fields_of(tree)


def _assigned_in(tree: nodes.Template) -> Names:
    sets = tree.find_all((nodes.Assign, nodes.AssignBlock))
    stored = (name for node in sets for name in node.find_all(nodes.Name) if name.ctx == "store")
    return frozenset(name.name for name in stored)


def _names_in_order(node: nodes.Node) -> Iterator[nodes.Name]:
    """Names as they are met; what is set comes after what it is set to."""
    if isinstance(node, nodes.Name):
        yield node
    late = ("target",) if isinstance(node, (nodes.Assign, nodes.AssignBlock)) else ()
    for child in node.iter_child_nodes(exclude=late):
        yield from _names_in_order(child)
    if late:
        yield from _names_in_order(cast("Any", node).target)


def _uses_in(children: Iterator[nodes.Node] | list[nodes.Node], *, sure: Names) -> Iterator[str]:
    for child in children:
        yield from _uses(child, sure=sure)


def _uses(node: nodes.Node, *, sure: Names) -> Iterator[str]:
    """Names that *node* reads unguarded; those in *sure* are known to be there."""
    match node:
        case nodes.Name(ctx="load", name=name):
            if name not in sure:
                yield name
        case nodes.If():
            yield from _uses_of_if(node, sure=sure)
        case nodes.CondExpr():
            yield from _uses_of_inline_if(node, sure=sure)
        case nodes.And() | nodes.Or():
            yield from _uses_of_logic(node, sure=sure, is_condition=False)
        case nodes.Test() | nodes.Filter() if _guards(node):
            yield from _uses_in(node.iter_child_nodes(exclude=("node",)), sure=sure)
        case nodes.Not():
            yield from _uses_of_condition(node.node, sure=sure)
        case _:
            yield from _uses_in(node.iter_child_nodes(), sure=sure)


def _guards(node: nodes.Test | nodes.Filter) -> bool:
    guarding = {"defined", "undefined"} if isinstance(node, nodes.Test) else {"default", "d"}
    return node.name in guarding and isinstance(node.node, nodes.Name)


def _uses_of_if(node: nodes.If, *, sure: Names) -> Iterator[str]:
    """An elif is tried, and an else taken, where all conditions before were false."""
    for branch in [node, *node.elif_]:
        yield from _uses_of_condition(branch.test, sure=sure)
        yield from _uses_in(branch.body, sure=sure | _sure_if(branch.test, truth=True))
        sure |= _sure_if(branch.test, truth=False)
    yield from _uses_in(node.else_, sure=sure)


def _uses_of_inline_if(node: nodes.CondExpr, *, sure: Names) -> Iterator[str]:
    yield from _uses_of_condition(node.test, sure=sure)
    yield from _uses(node.expr1, sure=sure | _sure_if(node.test, truth=True))
    if node.expr2 is not None:
        yield from _uses(node.expr2, sure=sure | _sure_if(node.test, truth=False))


def _uses_of_condition(node: nodes.Node, *, sure: Names) -> Iterator[str]:
    """As ``_uses``, where only the truth of *node* counts."""
    match node:
        case nodes.Name():
            return
        case nodes.And() | nodes.Or():
            yield from _uses_of_logic(node, sure=sure, is_condition=True)
        case _:
            yield from _uses(node, sure=sure)


def _uses_of_logic(node: nodes.And | nodes.Or, *, sure: Names, is_condition: bool) -> Iterator[str]:
    """The right side is reached where the left was true (and), or false (or)."""
    is_and = isinstance(node, nodes.And)
    # As a value, "a and b" can come out as a itself, "a or b" only as a true a.
    left = _uses_of_condition if is_condition or not is_and else _uses
    right = _uses_of_condition if is_condition else _uses
    yield from left(node.left, sure=sure)
    yield from right(node.right, sure=sure | _sure_if(node.left, truth=is_and))


def _sure_if(node: nodes.Node, *, truth: bool) -> Names:
    """Names that must be there when *node* came out as *truth*."""
    match node:
        case nodes.Name(name=name):
            return frozenset({name}) if truth else _NONE
        case nodes.Not():
            return _sure_if(node.node, truth=not truth)
        case nodes.Test() if _guards(node):
            is_there = truth == (node.name == "defined")
            return _sure_if(node.node, truth=True) if is_there else _NONE
        case nodes.And() | nodes.Or():
            left, right = (_sure_if(side, truth=truth) for side in (node.left, node.right))
            return left | right if truth == isinstance(node, nodes.And) else left & right
        case _:
            return _NONE
