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
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from jinja2 import nodes

from smsflow_provider.core.content.blocks import blocks_near
from smsflow_provider.core.content.body import read_body
from smsflow_provider.core.content.fields import Uses, fields_of, read_before_set, uses_of
from smsflow_provider.core.content.front_matter import read_settings
from smsflow_provider.core.content.languages import (
    Section,
    language_of,
    problems_of_sections,
    sections_of,
)
from smsflow_provider.core.content.problem import Problem, near, template_error
from smsflow_provider.core.content.settings import MissingPolicy, OptOutPolicy, TemplateSettings
from smsflow_provider.core.content.variant import Variant
from smsflow_provider.core.errors import TemplateError

__all__ = [
    "SUFFIX",
    "MissingPolicy",
    "OptOutPolicy",
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
    #: Language to Jinja text, the default language first; its code is empty when the settings
    #: name none. Line ends are ``\n``; the one newline that ends each text is dropped.
    variants: Mapping[str, str]
    #: Name to text of every block the texts take.
    blocks: Mapping[str, str]
    #: What the text of each language reads from the row.
    uses: Mapping[str, Uses]
    #: Where it was read, for people. Not part of the snapshot.
    source: str = field(default="", compare=False)
    #: Language to the line of the file at which its text begins. Not part of the snapshot.
    first_lines: Mapping[str, int] = field(default_factory=dict, compare=False)

    @property
    def default_language(self) -> str:
        """Code of the text that serves whoever has another language or none; may be empty."""
        return self.settings.default_language or ""

    @property
    def body(self) -> str:
        """The text of the default language."""
        return self.variants[self.default_language]

    @property
    def body_line(self) -> int:
        """Line of the file at which the text of the default language begins."""
        return self.first_lines.get(self.default_language, 1)

    @property
    def fields(self) -> tuple[str, ...]:
        """Names that any text reads from the row, sorted."""
        return _sorted(name for uses in self.uses.values() for name in uses.fields)

    @property
    def required(self) -> tuple[str, ...]:
        """Those of ``fields`` that a reader of some language must have."""
        return _sorted(name for uses in self.uses.values() for name in uses.required)

    @property
    def columns(self) -> tuple[str, ...]:
        """
        Columns of the audience the texts need: the fields and the one of the language.

        Those of ``sender_expression`` are not among them; who evaluates it knows them.
        """
        language = self.settings.language
        return _sorted([*self.fields, *([] if language is None else [language])])

    def language_of(self, value: object) -> str:
        """Choose the text for a recipient by the value of the language column."""
        return language_of(value, self.variants, default=self.default_language)

    def variant(self, code: str = "") -> Variant:
        """
        Give all that rendering needs of the language *code*; empty: the default one.

        Raises:
            KeyError: No text in this language; ask ``language_of`` first.
        """
        code = code or self.default_language
        uses = self.uses[code]
        defaults = self.settings.defaults
        return Variant(
            language=code,
            body=self.variants[code],
            fields=uses.fields,
            required=uses.required,
            defaults={name: defaults[name] for name in uses.fields if name in defaults},
            blocks=self.blocks,
            first_line=self.first_lines.get(code, 1),
        )

    def as_dict(self) -> dict[str, Any]:
        """
        Give the snapshot as JSON values; ``from_dict`` makes an equal template of it.

        ``body`` is the default language's, ``variants`` holds the others.
        """
        default = self.default_language
        return {
            "name": self.name,
            "settings": self.settings.model_dump(mode="json", by_alias=True),
            "body": self.body,
            "variants": {code: text for code, text in self.variants.items() if code != default},
            "blocks": dict(self.blocks),
        }

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Template:
        """
        Read a snapshot. No file is read; one from before languages and blocks is fine.

        Raises:
            TemplateError: It is not one, or its text cannot be used any more.
        """
        try:
            name, body = str(given["name"]), str(given["body"])
            settings = TemplateSettings.model_validate(given["settings"])
            others, blocks = (dict(given.get(key) or {}) for key in ("variants", "blocks"))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise TemplateError(
                "not a snapshot of a template", cause=type(error).__name__
            ) from None
        texts = {"": body, **others}
        sections = [Section(code=code, text=text, first_line=1) for code, text in texts.items()]
        return _checked(name=name, settings=settings, sections=sections, blocks=blocks)

    def missing_columns(self, columns: Iterable[str]) -> dict[str, str]:
        """
        Tell which columns the audience must have and has not.

        These are the required fields no default can fill, and the column of the language:
        without it everybody would read the default one.

        Args:
            columns: Names of the audience's columns.

        Returns:
            Name to a hint with the near name. Empty: each recipient can have a text.
        """
        known = set(columns)
        language = self.settings.language
        lacking = set(self.required) - known - set(self.settings.defaults)
        lacking |= set() if language is None else {language} - known
        return {name: near(name, known) for name in sorted(lacking)}


def read_template(
    text: str, *, name: str, source: str = "", blocks: Mapping[str, str] | None = None
) -> Template:
    r"""
    Read a template from the text of its file.

    Args:
        text: The whole file. CR LF and CR count as line ends; one trailing newline of each
            language's text is dropped, everything else of it is kept as it is.
        name: Its name, without the suffix.
        source: Where it was read, for the error.
        blocks: Name to text of the blocks it may include; None: there are none.

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
    body = "\n".join(lines[fence + 1 :]).removesuffix("\n").split("\n")
    sections, more = sections_of(body, first_line=fence + 2)
    return _checked(
        name=name,
        settings=settings,
        sections=sections,
        blocks={} if blocks is None else blocks,
        problems=[*problems, *more],
        source=source,
    )


def load_template(
    path: Path, *, name: str | None = None, blocks: Mapping[str, str] | None = None
) -> Template:
    """
    Read the template file *path*.

    Args:
        path: A file in UTF-8; its name ends with ``.sms.j2``.
        name: What to call it. None: the name of the file without the suffix.
        blocks: Name to text of the blocks it may include. None: those of the nearest folder
            ``blocks``, beside the file or above.

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
    return read_template(
        text,
        name=name or path.name.removesuffix(SUFFIX),
        source=str(path),
        blocks=blocks_near(path) if blocks is None else blocks,
    )


def find_template(name: str, folder: Path) -> Template:
    """
    Load the template *name* from *folder* or, with ``/`` in the name, from below it.

    Args:
        name: With or without the suffix. Never leads out of *folder*.
        folder: The folder of the templates. Blocks are those of the nearest folder ``blocks``
            beside the file or above, up to the one in *folder*.

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
    return load_template(path, name=plain, blocks=blocks_near(path, root=folder))


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
    sections: Sequence[Section],
    blocks: Mapping[str, str],
    problems: Iterable[Problem] = (),
    source: str = "",
) -> Template:
    found = [*problems]
    # With a wrong setting of languages nothing can be said about their sections.
    if not {"language", "default_language"} & {problem.field for problem in found}:
        column, default_language = settings.language, settings.default_language
        found += problems_of_sections(sections, column=column, default=default_language)
    default = settings.default_language or ""
    uses: dict[str, Uses] = {}
    taken: dict[str, str] = {}
    for section in sections:
        about = f"body.{section.code}" if section.code else "body"
        spliced, more = read_body(
            section.text, first_line=section.first_line, blocks=blocks, field=about
        )
        taken.update(spliced.blocks)
        if spliced.tree is not None and not more:
            uses[section.code or default] = uses_of(spliced.tree)
            more = _problems_of_names(spliced.tree, field=about)
        found += more
    if len(uses) == len(sections):
        found += _problems_of_defaults(uses.values(), settings=settings)
    if found:
        raise template_error(list(dict.fromkeys(found)), name=source or name)
    return Template(
        name=name,
        settings=settings,
        variants={section.code or default: section.text for section in sections},
        blocks=taken,
        uses=uses,
        source=source,
        first_lines={section.code or default: section.first_line for section in sections},
    )


def _problems_of_names(tree: nodes.Template, *, field: str) -> list[Problem]:
    early = [
        Problem(text=f"{name!r} is read before it is set", hint="use two names", field=field)
        for name in sorted(read_before_set(tree))
    ]
    has_loop = "loop" in fields_of(tree)
    loop = [Problem(text="'loop' is known within a for only", field=field)] if has_loop else []
    return early + loop


def _problems_of_defaults(uses: Iterable[Uses], *, settings: TemplateSettings) -> list[Problem]:
    fields = {name for one in uses for name in one.fields}
    return [
        Problem(text="the text has no such field", hint=near(key, fields), field=f"defaults.{key}")
        for key in sorted(set(settings.defaults) - fields)
    ]


def _sorted(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(set(names)))
