"""What travels between tasks instead of people: where an audience lies, and what it must be."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Self

from smsflow_provider.core.errors import AudienceError

#: What crosses XCom. Never a row, never a phone number.
KEYS = ("uri", "count", "fingerprint")

_FINGERPRINT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of an audience."""

    #: As the source calls it; ``recipient_id`` and ``phone`` come first and are always there.
    name: str
    #: One of the words of ``columns.kind_of``, such as ``text`` or ``integer``.
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AudienceReference:
    """
    A frozen audience: the file, how many people, and what the content hashes to.

    Does not promise that the file still exists; reading it tells.
    """

    #: Where the Parquet file lies. Holds ids of a DAG, a run and a task, and no secret.
    uri: str
    #: Recipients in the file, 0 or more.
    count: int
    #: sha256 over names, types and values in order: 64 hexadecimal digits.
    fingerprint: str
    #: The columns, when the maker knows them. Stay behind when the reference travels.
    columns: tuple[Column, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """
        Write the three facts that travel.

        Example:
            >>> AudienceReference(uri="file:///a.parquet", count=2, fingerprint="0" * 64).as_dict()[
            ...     "count"
            ... ]
            2
        """
        return {"uri": self.uri, "count": self.count, "fingerprint": self.fingerprint}

    @classmethod
    def from_dict(cls, given: object) -> Self:
        """
        Read what ``as_dict`` wrote.

        Args:
            given: A mapping with exactly the keys ``uri``, ``count`` and ``fingerprint``.

        Raises:
            AudienceError: It is something else; the facts list every problem.
        """
        if not isinstance(given, Mapping):
            raise AudienceError(
                "this is not an audience reference: pass the output of a build_audience task",
                got=type(given).__name__,
            )
        problems = [*_key_problems(given), *_value_problems(given)]
        if problems:
            raise AudienceError("an audience reference cannot be read", problems=problems)
        return cls(uri=given["uri"], count=given["count"], fingerprint=given["fingerprint"])


def _key_problems(given: Mapping[Any, Any]) -> list[str]:
    missing = [f"{key} is missing" for key in KEYS if key not in given]
    return missing + [
        f"unknown key {key!r}{near_hint(str(key), KEYS)}" for key in given if key not in KEYS
    ]


def _value_problems(given: Mapping[Any, Any]) -> list[str]:
    problems = []
    if "uri" in given and not (isinstance(given["uri"], str) and given["uri"]):
        problems.append("uri must be a text")
    if "count" in given and not _is_count(given["count"]):
        problems.append("count must be a whole number, 0 or more")
    if "fingerprint" in given and not _FINGERPRINT.fullmatch(str(given["fingerprint"])):
        problems.append("fingerprint must be 64 hexadecimal digits")
    return problems


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def near_hint(name: str, known: Iterable[str]) -> str:
    """
    Offer the name that was probably meant, as the end of a sentence; empty when none is near.

    Example:
        >>> near_hint("phne", ["id", "phone"])
        " (did you mean 'phone'?)"
    """
    by_lower = {candidate.lower(): str(candidate) for candidate in known}
    near = get_close_matches(name.strip().lower(), by_lower, n=1)
    return f" (did you mean {by_lower[near[0]]!r}?)" if near else ""


def word_hint(given: str, words: Iterable[str]) -> str:
    """
    Offer the word that was probably meant, else all there are, as the end of a sentence.

    Example:
        >>> word_hint("skp", ["fail", "skip"]), word_hint("?", ["fail", "skip"])
        (" (did you mean 'skip'?)", ': it is one of fail, skip')
    """
    return near_hint(given, words) or f": it is one of {', '.join(words)}"
