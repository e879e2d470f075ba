"""
Delivery templates: ``*.sms.j2`` files with settings between two ``---`` lines, then the text.

```
---
label: Spring sale
sender: ACME
max_parts: 2
---
Hello {{ first_name | first_name }}, 20% off until Sunday. STOP 36111
```

Reading a template finds all its problems at once. A delivery keeps ``as_dict()`` of the
template it was prepared with; later edits of the file never reach it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jinja2 import nodes

from smsflow_provider.core.content.body import read_body
from smsflow_provider.core.content.fields import fields_of, read_before_set, required_in
from smsflow_provider.core.content.front_matter import (
    MissingPolicy,
    TemplateSettings,
    read_settings,
)
from smsflow_provider.core.content.problem import Problem, near, template_error
from smsflow_provider.core.errors import TemplateError

__all__ = [
    "SUFFIX",
    "MissingPolicy",
    "Template",
    "TemplateSettings",
    "find_template",
    "load_template",
    "read_template",
]

#: What the name of a template file ends with.
SUFFIX: Final = ".sms.j2"
_NAME = re.compile(r"[\w][\w.-]*(?:/[\w][\w.-]*)*")
_FENCE: Final = "---"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One delivery template, read and checked. Made by the functions of this module."""

    #: Name without the suffix; with the folders below the templates folder, parted by ``/``.
    name: str
    settings: TemplateSettings
    #: The Jinja text. Line ends are ``\n``; the one newline that ends the file is dropped.
    body: str
    #: Names the text reads from the row, sorted.
    fields: tuple[str, ...]
    #: Those of ``fields`` a recipient must have; see ``core.content.fields`` for the rule.
    required: tuple[str, ...]
    #: Where it was read, for people. Not part of the snapshot.
    source: str = field(default="", compare=False)
    #: Line of the file at which the body begins. Not part of the snapshot.
    body_line: int = field(default=1, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Give the snapshot as JSON values; ``from_dict`` makes an equal template of it."""
        settings = self.settings.model_dump(mode="json", by_alias=True)
        return {"name": self.name, "settings": settings, "body": self.body}

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Template:
        """
        Read a snapshot.

        Raises:
            TemplateError: It is not one, or its text cannot be used any more.
        """
        try:
            name, body = str(given["name"]), str(given["body"])
            settings = TemplateSettings.model_validate(given["settings"])
        except (KeyError, TypeError, ValueError) as error:
            raise TemplateError(
                "not a snapshot of a template", cause=type(error).__name__
            ) from None
        return _checked(name=name, settings=settings, body=body)

    def missing_columns(self, columns: Iterable[str]) -> dict[str, str]:
        """
        Tell which required fields no column and no default can fill.

        Args:
            columns: Names of the audience's columns.

        Returns:
            Field to a hint with the near name. Empty: each recipient can have a text.
        """
        known = set(columns)
        lacking = set(self.required) - known - set(self.settings.defaults)
        return {name: near(name, known) for name in sorted(lacking)}


def read_template(text: str, *, name: str, source: str = "") -> Template:
    r"""
    Read a template from the text of its file.

    Args:
        text: The whole file. CR LF and CR count as line ends; one trailing newline of the
            body is dropped, everything else of it is kept as it is.
        name: Its name, without the suffix.
        source: Where it was read, for the error.

    Returns:
        The template.

    Raises:
        TemplateError: ``facts["problems"]`` lists all problems with line and field.

    Example:
        >>> template = read_template("---\nsender: ACME\n---\nHi {{ name }}!\n", name="hi")
        >>> template.settings.sender, template.body, template.fields
        ('ACME', 'Hi {{ name }}!', ('name',))
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    fence = _closing_fence(lines, name=source or name)
    settings, problems = read_settings("\n".join(lines[1:fence]))
    body = "\n".join(lines[fence + 1 :]).removesuffix("\n")
    return _checked(
        name=name,
        settings=settings,
        body=body,
        problems=problems,
        source=source,
        body_line=fence + 2,
    )


def load_template(path: Path, *, name: str | None = None) -> Template:
    """
    Read the template file *path*.

    Args:
        path: A file in UTF-8; its name ends with ``.sms.j2``.
        name: What to call it. None: the name of the file without the suffix.

    Raises:
        TemplateError: The file cannot be read, or has problems; all are named.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise TemplateError(
            "the template is not UTF-8", template=str(path), position=error.start
        ) from None
    except OSError as error:
        raise TemplateError(
            "the template cannot be read", template=str(path), cause=error.strerror
        ) from error
    return read_template(text, name=name or path.name.removesuffix(SUFFIX), source=str(path))


def find_template(name: str, folder: Path) -> Template:
    """
    Load the template *name* from *folder* or, with ``/`` in the name, from below it.

    Args:
        name: With or without the suffix. Never leads out of *folder*.
        folder: The folder of the templates.

    Raises:
        TemplateError: No such template (with the near name), or it has problems.
    """
    plain = name.removesuffix(SUFFIX)
    path = folder / f"{plain}{SUFFIX}"
    if _NAME.fullmatch(plain) is None or not path.is_file():
        raise TemplateError(
            "no such template",
            template=plain,
            folder=str(folder),
            hint=near(plain, _names_in(folder)) or "the folder holds none",
        )
    return load_template(path, name=plain)


def _names_in(folder: Path) -> list[str]:
    found = folder.rglob(f"*{SUFFIX}")
    return [path.relative_to(folder).as_posix().removesuffix(SUFFIX) for path in found]


def _closing_fence(lines: list[str], *, name: str) -> int:
    """Find the line that ends the front matter, counted from 0."""
    if lines[0].rstrip() != _FENCE:
        problem = Problem(text="the first line is not '---'", hint="settings stand first", line=1)
        raise template_error([problem], name=name)
    for index, line in enumerate(lines[1:], start=1):
        if line.rstrip() == _FENCE:
            return index
    problem = Problem(text="no second line '---' ends the settings", line=len(lines))
    raise template_error([problem], name=name)


def _checked(
    *,
    name: str,
    settings: TemplateSettings,
    body: str,
    problems: Iterable[Problem] = (),
    source: str = "",
    body_line: int = 1,
) -> Template:
    tree, more = read_body(body, first_line=body_line)
    found = [*problems, *more]
    if tree is not None and not more:
        found += _problems_of_fields(tree, settings=settings)
    if tree is None or found:
        raise template_error(found, name=source or name)
    return Template(
        name=name,
        settings=settings,
        body=body,
        fields=tuple(sorted(fields_of(tree))),
        required=tuple(sorted(required_in(tree))),
        source=source,
        body_line=body_line,
    )


def _problems_of_fields(tree: nodes.Template, *, settings: TemplateSettings) -> list[Problem]:
    fields = fields_of(tree)
    early = [
        Problem(text=f"{name!r} is read before it is set", hint="use two names", field="body")
        for name in sorted(read_before_set(tree))
    ]
    useless = [
        Problem(text="the text has no such field", hint=near(key, fields), field=f"defaults.{key}")
        for key in sorted(set(settings.defaults) - fields)
    ]
    loop = [Problem(text="'loop' is known within a for only", field="body")]
    return early + useless + (loop if "loop" in fields else [])
