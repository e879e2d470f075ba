"""The words that say how an audience is kept: computed when, saved how, read how old."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from smsflow_provider.core.audience.reference import word_hint


class OnStale(StrEnum):
    """What to do when a saved audience is older than allowed."""

    #: Nobody is texted on old news: raise.
    FAIL = "fail"
    #: Say it and go on.
    WARN = "warn"


class Refresh(StrEnum):
    """When the people of a task are computed. A delivery never computes any: it reads a file."""

    #: Whenever the task runs: a retry finds those of that moment, and so does a cleared task.
    EACH_TRY = "each_try"
    #: Once in a run: a retry or a cleared task hands on those who were found first.
    EACH_RUN = "each_run"


class SaveMode(StrEnum):
    """What ``save_as`` does with the people who are saved under the name already."""

    #: The new ones take their place.
    UPDATE = "update"
    #: They stay, and the new ones come behind them.
    APPEND = "append"


#: The settings that hold such a word.
WORDS: Final[Mapping[str, type[StrEnum]]] = {
    "on_stale": OnStale,
    "refresh": Refresh,
    "save_mode": SaveMode,
}


def keeping_problems(settings: Mapping[str, Any]) -> list[str]:
    """
    Say what is wrong with ``on_stale``, ``refresh`` and ``save_mode``, as far as they are given.

    Example:
        >>> keeping_problems({"refresh": "each_rum"})
        ["refresh cannot be 'each_rum' (did you mean 'each_run'?)"]
    """
    problems = []
    for name, words in WORDS.items():
        given = str(settings.get(name) or next(iter(words)))
        if given not in set(words):
            problems.append(f"{name} cannot be {given!r}{word_hint(given, words)}")
    if settings.get("save_mode", SaveMode.UPDATE) != SaveMode.UPDATE and not settings.get(
        "save_as"
    ):
        problems.append("save_mode goes with save_as only")
    return problems
