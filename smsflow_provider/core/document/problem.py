"""What is wrong with a document, where, and what to do: one value for every check."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, replace

from pydantic_core import PydanticCustomError


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """
    One thing to mend, written for the person who wrote the document.

    Example:
        >>> print(Problem(file="a.yaml", line=3, field="id", text="is missing", hint="add it"))
        a.yaml:3: id: is missing (add it)
    """

    #: What is wrong, as a sentence without a capital.
    text: str
    #: Path of keys, or a task id; dots between the parts. Empty: the file as a whole.
    field: str = ""
    #: What to do, or the near name. Empty: the text says it all.
    hint: str = ""
    #: The file as the user named it. Empty: it was written in Python.
    file: str = ""
    #: Counted from 1. None: the problem has no line of its own.
    line: int | None = None

    def __str__(self) -> str:
        """``file:line: field: text (hint)``, without the parts that are empty."""
        where = self.file if self.line is None else f"{self.file}:{self.line}"
        sentence = f"{self.text} ({self.hint})" if self.hint else self.text
        return ": ".join(part for part in (where, self.field, sentence) if part)


def near(word: object, known: Iterable[str]) -> str:
    """
    Ask "did you mean …?" when one of *known* is close to *word*, else say nothing.

    Example:
        >>> near("tmplate", ["template", "label"])
        "did you mean 'template'?"
        >>> near("xyz", ["template"])
        ''
    """
    by_lower = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(word).lower(), by_lower, n=1)
    return f"did you mean {by_lower[close[0]]!r}?" if close else ""


def near_or_all(word: object, known: Iterable[str]) -> str:
    """
    Give the near name, or else the whole choice.

    Example:
        >>> near_or_all("xyz", ["fail", "skip"])
        'known: fail, skip'
    """
    names = list(known)
    return near(word, names) or (f"known: {', '.join(names)}" if names else "")


def refusal(text: str, hint: str = "") -> PydanticCustomError:
    """Make the error a validator raises; readers find *text* and *hint* in its context."""
    template = "{text} ({hint})" if hint else "{text}"
    return PydanticCustomError("smsflow", template, {"text": text, "hint": hint})


def in_file(problems: Iterable[Problem], file: str) -> list[Problem]:
    """Say of all *problems* that they are in *file*."""
    return [replace(problem, file=file) for problem in problems]
