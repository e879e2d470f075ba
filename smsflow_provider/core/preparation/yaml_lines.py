"""
YAML as it was written: every scalar a text, every key with its line.

YAML itself would read ``NO`` (Norway) as false and ``0.045`` as a binary fraction.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import yaml

from smsflow_provider.core.content.problem import Problem

_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})


def read_mapping(text: str, problems: list[Problem]) -> yaml.MappingNode | None:
    """
    Read the one mapping of a file.

    Args:
        problems: Gets what is wrong with the file as a whole.

    Returns:
        None: it is empty, or there is a problem.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        why = str(getattr(error, "problem", None) or "a character YAML does not allow")
        line = None if mark is None else mark.line + 1
        problems.append(Problem(text="is not YAML", hint=why, line=line))
        return None
    if root is None or isinstance(root, yaml.MappingNode):
        return root
    problems.append(Problem(text="is not made of 'key: value' lines", line=1))
    return None


def pairs_of(
    node: yaml.MappingNode, problems: list[Problem], *, path: str = ""
) -> Iterator[tuple[str, yaml.Node, int]]:
    """
    Give key, value and line of each entry; a key that is there twice is given once.

    Args:
        problems: Gets the keys that are none, and those that are there twice.
        path: What stands before a key in the field of a problem.
    """
    seen: set[str] = set()
    for key, value in node.value:
        line = key.start_mark.line + 1
        name = text_of(key)
        if name is None:
            problems.append(Problem(text="a key must be a word", field=path, line=line))
        elif name in seen:
            problems.append(Problem(text="is written twice", field=f"{path}{name}", line=line))
        else:
            seen.add(name)
            yield name, value, line


def text_of(node: yaml.Node) -> str | None:
    """Give a scalar as it was written. None: it is not one, or nothing stands there."""
    if not isinstance(node, yaml.ScalarNode):
        return None
    value = str(node.value).strip()
    return None if node.style is None and value in _NULLS else value
