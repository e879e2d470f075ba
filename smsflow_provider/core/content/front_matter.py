"""
The front matter of a delivery template: the YAML lines before its text.

Scalars are read as text and given their meaning by the setting, not by YAML: an unquoted
``+33612345678`` stays a sender with its plus, ``007`` keeps its zeros, ``no`` is a word.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from smsflow_provider.core.content.problem import Problem, near
from smsflow_provider.core.content.settings import (
    SETTING_NAMES,
    MissingPolicy,
    TemplateSettings,
)

__all__ = ["MissingPolicy", "TemplateSettings", "read_settings"]

#: Lines of a file before the first line of its YAML.
_LINES_BEFORE: Final = 1
_NULLS: Final = frozenset({"", "~", "null", "Null", "NULL"})
# What pydantic adds to the path of a key that is wrong itself.
_KEY: Final = "[key]"
_QUOTED: Final = re.compile("'([^']*)'")


@dataclass(slots=True)
class _Front:
    """What the lines say: known keys with a value, and where each of them stands."""

    given: dict[str, object] = field(default_factory=dict)
    #: Also of the keys within a setting, as ``senders.FR``.
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def tell(self, text: str, hint: str = "", *, field: str, line: int) -> None:
        self.problems.append(Problem(text=text, hint=hint, field=field, line=line))


def read_settings(front: str) -> tuple[TemplateSettings, list[Problem]]:
    """
    Read the settings from the YAML between the two ``---`` lines.

    Args:
        front: The lines between; the first is line 2 of the file.

    Returns:
        The settings and all problems. With problems, the settings are what could be read of
        those that have none.
    """
    read = _front_of(front)
    settings, problems = _validated(read.given, lines=read.lines)
    return settings, read.problems + problems


def _validated(
    given: Mapping[str, object], *, lines: Mapping[str, int], bad: frozenset[str] = frozenset()
) -> tuple[TemplateSettings, list[Problem]]:
    """Validate, again without the settings that are wrong, until the rest goes together."""
    rest = {key: value for key, value in given.items() if key not in bad}
    try:
        return TemplateSettings.model_validate(rest), []
    except ValidationError as error:
        details = error.errors(include_url=False)
    found = [one for detail in details for one in _findings_of(detail)]
    # What only seems not to go together because a part was left out is no problem.
    problems = [
        _problem_of(one, lines=lines)
        for one in found
        if one[3] not in bad and str(one[0][0]) not in bad
    ]
    involved = {str(path[0]) for path, *_ in found} | {other for *_, other in found if other}
    if involved <= bad:
        return TemplateSettings(), problems
    settings, more = _validated(given, lines=lines, bad=bad | involved)
    return settings, problems + more


_Found = tuple[tuple[int | str, ...], str, str, str]


def _findings_of(detail: ErrorDetails) -> list[_Found]:
    """Path, text, hint and the other setting: one for a wrong value, several for the whole."""
    facts = detail.get("ctx", {})
    if "findings" in facts:
        return [((one.field,), one.text, one.hint, one.other) for one in facts["findings"]]
    text, hint = _in_words(detail)
    return [(detail["loc"], text, hint or str(facts.get("hint", "")), "")]


def _in_words(detail: ErrorDetails) -> tuple[str, str]:
    """Say an error of pydantic in our words, with the near choice."""
    given, said = detail["input"], detail["msg"].removeprefix("Value error, ")
    match detail["type"]:
        case "enum" | "literal_error":
            choices = _QUOTED.findall(detail["ctx"]["expected"])
            return f"{given!r} is not a choice", near(str(given), choices)
        case "int_parsing" | "int_type" | "int_from_float":
            return "should be a whole number", ""
        case "string_type":
            return "should be one text", ""
        case "greater_than_equal" | "less_than_equal":
            return f"{said.removeprefix('Input ')}, found {given}", ""
    return said, ""


def _problem_of(found: _Found, *, lines: Mapping[str, int]) -> Problem:
    loc, text, hint, other = found
    path = [str(part) for part in loc if part != _KEY]
    name = ".".join(path)
    places = (lines[key] for key in (name, path[0], other) if key in lines)
    return Problem(text=text, hint=hint, field=name, line=next(places, None))


def _front_of(front: str) -> _Front:
    read = _Front()
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        read.problems.append(_problem_of_yaml(error))
        return read
    if isinstance(root, yaml.MappingNode):
        _read_mapping(root, into=read)
    elif root is not None:
        text = "the front matter is not made of 'key: value' lines"
        read.problems.append(Problem(text=text, line=2))
    return read


def _problem_of_yaml(error: yaml.YAMLError) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    return Problem(
        text="the front matter is not YAML",
        hint=str(getattr(error, "problem", None) or "a character YAML does not allow"),
        line=None if mark is None else mark.line + 1 + _LINES_BEFORE,
    )


def _read_mapping(root: yaml.MappingNode, *, into: _Front) -> None:
    """Keep the known keys; one without a value counts as not written."""
    seen: set[str] = set()
    for key, node, line in _pairs_of(root):
        if key in seen:
            into.tell("is written twice", field=key, line=line)
        elif key not in SETTING_NAMES:
            into.tell("unknown setting", near(key, SETTING_NAMES), field=key, line=line)
        else:
            into.lines[key] = line
            value = _value_of(node, key=key, into=into)
            if value is not None:
                into.given[key] = value
        seen.add(key)


def _pairs_of(root: yaml.MappingNode) -> Iterator[tuple[str, yaml.Node, int]]:
    for key, node in root.value:
        name = str(key.value) if isinstance(key, yaml.ScalarNode) else "?"
        yield name, node, key.start_mark.line + 1 + _LINES_BEFORE


def _value_of(node: yaml.Node, *, key: str, into: _Front) -> object:
    """Text, a mapping of texts, or a list that no setting accepts; deeper only for how to send."""
    is_deep = key.partition(".")[0] == "sending"
    if is_deep and isinstance(node, yaml.SequenceNode):
        return [_scalar_of(value) for value in node.value]
    if not isinstance(node, yaml.MappingNode):
        return _scalar_of(node)
    values: dict[str, object] = {}
    for name, value, line in _pairs_of(node):
        if name in values:
            into.tell("is written twice", field=f"{key}.{name}", line=line)
        inner = _value_of(value, key=f"{key}.{name}", into=into) if is_deep else _scalar_of(value)
        values.setdefault(name, inner)
        into.lines.setdefault(f"{key}.{name}", line)
    return values


def _scalar_of(node: yaml.Node) -> object:
    if not isinstance(node, yaml.ScalarNode):
        return []
    return None if node.style is None and node.value in _NULLS else node.value
