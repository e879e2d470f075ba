"""
One template in several languages: the sections of its text, and who reads which.

The text before the first section line is the default language's; a line ``--- fr`` begins
another language's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smsflow_provider.core.content.problem import Problem

# BCP 47, as far as texts need it: a language, then a script, a region or a variant.
_CODE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
# Three dashes and one word. What is no code is told, not sent: "--- french" was meant as one.
_SECTION_LINE = re.compile(r"---[ \t]*(?P<word>[^\s-]\S*)[ \t]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The text of one language, as it stands in the file."""

    #: As BCP 47 writes it. Empty: the text before the first section line.
    code: str
    #: Lines with ``\\n`` between; the newline before the next section line is not part of it.
    text: str
    #: Line of the file at which the text begins.
    first_line: int


def canonical_code(code: str) -> str | None:
    """
    Write a language code as BCP 47 does; None if it is none.

    Whether such a language exists is not looked up.

    Example:
        >>> canonical_code("PT-br"), canonical_code("zh_hant"), canonical_code("french")
        ('pt-BR', 'zh-Hant', None)
    """
    code = code.strip().replace("_", "-")
    if _CODE.fullmatch(code) is None:
        return None
    first, *others = code.split("-")
    return "-".join([first.lower(), *map(_subtag, others)])


def _subtag(text: str) -> str:
    if len(text) == 2:
        return text.upper()
    return text.title() if len(text) == 4 and text.isalpha() else text.lower()


def sections_of(lines: Sequence[str], *, first_line: int) -> tuple[list[Section], list[Problem]]:
    """
    Take the text of a template apart at its section lines.

    Args:
        lines: The lines after the front matter.
        first_line: Line of the file of the first of them.

    Returns:
        The sections, first the one without a code, and the lines that look like a section line
        and are none.
    """
    cuts, problems = [("", -1)], []
    for index, line in enumerate(lines):
        found = _SECTION_LINE.fullmatch(line)
        code = canonical_code(found["word"]) if found else None
        if code is not None:
            cuts.append((code, index))
        elif found and any(char.isalpha() for char in found["word"]):
            problems.append(_no_code(line=index + first_line))
    ends = [*(index for _, index in cuts[1:]), len(lines)]
    sections = [
        Section(
            code=code,
            text="\n".join(lines[start + 1 : end]),
            first_line=start + 1 + first_line,
        )
        for (code, start), end in zip(cuts, ends, strict=True)
    ]
    return sections, problems


def problems_of_sections(
    sections: Sequence[Section], *, column: str | None, default: str | None
) -> list[Problem]:
    """
    Tell which sections and settings do not go together.

    Args:
        sections: As ``sections_of`` gives them.
        column: The setting ``language``.
        default: The setting ``default_language``.
    """
    if column is not None and len(sections) == 1:
        hint = "begin another language with a line such as --- fr"
        return [Problem(text="the text has one language only", hint=hint, field="language")]
    problems = []
    if column is None and len(sections) > 1:
        hint = "name the column: language: lang"
        problems.append(_of_line(sections[1], "nothing says who reads which language", hint))
    seen: set[str] = set()
    for section in sections[1:]:
        if section.code == default:
            hint = "its text stands before the first section line"
            problems.append(_of_line(section, f"{section.code} is the default language", hint))
        elif section.code in seen:
            problems.append(_of_line(section, f"{section.code} is written twice"))
        seen.add(section.code)
    return problems


def _of_line(section: Section, text: str, hint: str = "") -> Problem:
    return Problem(text=text, hint=hint, field="body", line=section.first_line - 1)


def _no_code(*, line: int) -> Problem:
    return Problem(
        text="'---' and a word that is no language code",
        hint="a language begins with a line such as --- fr or --- pt-BR",
        field="body",
        line=line,
    )


def language_of(value: object, known: Iterable[str], *, default: str) -> str:
    """
    Choose the language for a recipient, as RFC 4647 looks one up.

    Args:
        value: What the row says, in any case, with ``-`` or ``_``: ``fr``, ``FR-ca``, ``pt_BR``.
        known: Codes of the texts there are.
        default: The code for who says nothing, or a language there is no text in.

    Returns:
        The code itself, else the one of it without its last subtags (fr-CA reads fr), else
        *default*. Never a narrower one: who reads pt does not get pt-BR.

    Example:
        >>> [language_of(one, ["en", "fr"], default="en") for one in ("FR_ca", "de", None)]
        ['fr', 'en', 'en']
    """
    if not isinstance(value, str):
        return default
    codes = {code.casefold(): code for code in known}
    subtags = value.strip().casefold().replace("_", "-").split("-")
    for count in range(len(subtags), 0, -1):
        found = codes.get("-".join(subtags[:count]))
        if found is not None:
            return found
    return default
