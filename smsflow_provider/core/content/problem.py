"""What is wrong with a delivery template, where, and what to do about it."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from smsflow_provider.core.errors import TemplateError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing to mend, written for the author of the template. Holds no recipient's data."""

    #: What is wrong, as a sentence without a capital.
    text: str
    #: The setting, or ``body``. Empty: the file as a whole.
    field: str = ""
    #: What to do, or the near name. Empty: the text says it all.
    hint: str = ""
    #: Line of the file, counted from 1. None: it has no line of its own.
    line: int | None = None
    #: The file, where it is not the template's own: that of a block.
    file: str = ""

    def at(self, file: str) -> str:
        """
        Write it as ``file:line: field: text (hint)``, without the parts that are empty.

        Example:
            >>> Problem(text="is too long", field="sender", line=3).at("a.sms.j2")
            'a.sms.j2:3: sender: is too long'
        """
        name = self.file or file
        where = name if self.line is None else f"{name}:{self.line}"
        sentence = f"{self.text} ({self.hint})" if self.hint else self.text
        return ": ".join(part for part in (where, self.field, sentence) if part)


def near(word: str, known: Iterable[str]) -> str:
    """
    Ask "did you mean …?" when one of *known* is close to *word*, else name them all.

    Example:
        >>> near("sendr", ["sender", "label"]), near("x", ["sender", "label"])
        ("did you mean 'sender'?", 'known: label, sender')
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(names)}" if names else ""


def template_error(problems: Sequence[Problem], *, name: str) -> TemplateError:
    """
    Make one error of all *problems* of the template *name*.

    Its ``facts["problems"]`` lists them as text, in the order of their lines, those of blocks
    last.
    """
    noun = "problem" if len(problems) == 1 else "problems"
    ordered = sorted(problems, key=lambda problem: (problem.file, problem.line or 0))
    return TemplateError(
        f"{len(problems)} {noun} in the template",
        template=name,
        problems=[problem.at(name) for problem in ordered],
    )
