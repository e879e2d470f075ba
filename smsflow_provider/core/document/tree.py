"""
YAML with its line numbers, and without its surprises.

Reads plain data only (no tags, no code), says where each value stands, and refuses what YAML
1.1 reads as something else than people meant: ``no`` as false, ``9:00`` as 540, ``010`` as 8.
Keys are always words: ``on`` and ``NO`` need no quotes there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

import yaml

from smsflow_provider.core.document.problem import Problem

#: Steps from the root to a value: keys of mappings, places in lists.
Path = tuple[str | int, ...]

#: Values in such a file. More than this is an alias bomb or the wrong file.
MOST_NODES = 100_000

_TAG = "tag:yaml.org,2002:"
# The parser in C is ten times faster; not every build of PyYAML has it.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """What a file holds, and where."""

    #: Mappings, lists, texts, numbers, dates, true, false and None.
    data: object
    #: Line of each value, counted from 1: the key's line in a mapping.
    lines: dict[Path, int]
    #: What the text itself has wrong; the data leave it out.
    problems: list[Problem]

    def line_of(self, path: Path) -> int | None:
        """Give the line of *path*, or of the nearest thing around it that has one."""
        while path not in self.lines and path:
            path = path[:-1]
        return self.lines.get(path)


def read_tree(text: str) -> Tree:
    r"""
    Read one YAML document.

    Never raises for what *text* holds: everything wrong is in the result's problems.

    Example:
        >>> tree = read_tree("id: a.b\ncountry: no\n")
        >>> tree.data, tree.lines[("country",)], tree.problems[0].text
        ({'id': 'a.b'}, 2, 'YAML reads no as false')
    """
    walk = _Walk()
    root, data = None, None
    try:
        root = _Loader(text).get_single_node()
        data = None if root is None else walk.value(root, ())
    except _LeftOut:
        pass
    except yaml.YAMLError as error:
        return Tree(data=None, lines={}, problems=[_syntax(error)])
    except RecursionError:
        deep = Problem(text="is nested too deeply")
        return Tree(data=None, lines={}, problems=[deep])
    if root is None:
        walk.problems.append(Problem(text="the file is empty", line=1))
    return Tree(data=data, lines=walk.lines, problems=walk.problems)


def dotted(path: Path) -> str:
    """
    Write *path* for people.

    Example:
        >>> dotted(("activities", "sms", "after", 0))
        'activities.sms.after.0'
    """
    return ".".join(map(str, path))


class _LeftOut(Exception):  # noqa: N818  not an error: a value that cannot be kept
    """A value with a problem of its own; its neighbours are read on."""


def _syntax(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    said = getattr(error, "problem", None) or getattr(error, "reason", None) or "is not YAML"
    line = None if mark is None else mark.line + 1
    return Problem(text=f"is not YAML: {said}", line=line)


@dataclass(slots=True)
class _Walk:
    """One pass over the nodes of a document."""

    lines: dict[Path, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    #: Nodes on the way from the root: an alias to one of them has no end.
    open_nodes: list[int] = field(default_factory=list)
    count: int = 0

    def value(self, node: yaml.Node, path: Path) -> object:
        """Read *node*; raises _LeftOut after noting what is wrong with it."""
        self.count += 1
        if self.count > MOST_NODES or id(node) in self.open_nodes:
            self._refuse(node, path, "is too large, or holds itself")
        self.lines.setdefault(path, node.start_mark.line + 1)
        if isinstance(node, yaml.ScalarNode):
            return self._scalar(node, path)
        self.open_nodes.append(id(node))
        try:
            is_list = isinstance(node, yaml.SequenceNode)
            return self._sequence(node, path) if is_list else self._mapping(node, path)
        finally:
            self.open_nodes.pop()

    def _refuse(self, node: yaml.Node, path: Path, text: str, hint: str = "") -> NoReturn:
        line = node.start_mark.line + 1
        self.problems.append(Problem(field=dotted(path), text=text, hint=hint, line=line))
        raise _LeftOut

    def _scalar(self, node: yaml.ScalarNode, path: Path) -> object:
        try:
            value = yaml.SafeLoader("").construct_object(node)
        except (yaml.YAMLError, ValueError):
            self._refuse(node, path, f"cannot read {node.tag.removeprefix(_TAG)!r} here")
        if not node.style and _is_surprising(node):
            self._refuse(
                node,
                path,
                f"YAML reads {node.value} as {_shown(value)}",
                f'write "{node.value}" in quotes, or {_shown(value)} if that is meant',
            )
        return value

    def _sequence(self, node: yaml.Node, path: Path) -> list[object]:
        values: list[object] = []
        for at, child in enumerate(node.value):
            try:
                values.append(self.value(child, (*path, at)))
            except _LeftOut:
                # Keeps the places of its neighbours, which their lines are found by.
                values.append(None)
        return values

    def _mapping(self, node: yaml.Node, path: Path) -> dict[str, object]:
        values: dict[str, object] = {}
        for key_node, child in node.value:
            try:
                key = self._key(key_node, path, known=values)
                self.lines[(*path, key)] = key_node.start_mark.line + 1
                values[key] = self.value(child, (*path, key))
            except _LeftOut:
                continue
        return values

    def _key(self, node: yaml.Node, path: Path, *, known: dict[str, object]) -> str:
        if not isinstance(node, yaml.ScalarNode):
            self._refuse(node, path, "a key must be a text", "put a {{ … }} value in quotes")
        if node.tag == f"{_TAG}merge":
            self._refuse(node, path, "merge keys (<<) are not read", "write the fields out")
        key = _bare_word(node) or self._scalar(node, (*path, node.value))
        if not isinstance(key, str):
            self._refuse(node, (*path, node.value), "the key is not a text", "put it in quotes")
        if key in known or (*path, key) in self.lines:
            first = self.lines[(*path, key)]
            self._refuse(node, (*path, key), f"stands twice, first in line {first}", "keep one")
        return key


def _bare_word(node: yaml.ScalarNode) -> str | None:
    """Give a key such as ``on``, which YAML 1.1 takes for true: keys can only be words."""
    return str(node.value) if node.tag == f"{_TAG}bool" and _is_surprising(node) else None


def _is_surprising(node: yaml.ScalarNode) -> bool:
    """Whether YAML 1.1 reads a bare word in a way that most people do not expect."""
    text = node.value.lower()
    if node.tag == f"{_TAG}bool":
        return text not in {"true", "false"}
    if node.tag in {f"{_TAG}int", f"{_TAG}float"}:
        digits = text.lstrip("+-")
        return ":" in text or "_" in text or (digits[0] == "0" and digits[1:2].isalnum())
    return False


def _shown(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
