"""What a reply means: STOP in many spellings, START, HELP, or something a person should read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import Final, Self

from pydantic import BaseModel, ConfigDict

from smsflow_provider.core.document.judge import judge
from smsflow_provider.core.document.problem import Problem, in_file, near
from smsflow_provider.core.document.tree import Tree, dotted, read_tree

#: Name of the file in the folder of rules.
FILE: Final = "keywords.yaml"

#: Characters of a reply that are looked at; a keyword is never behind them.
_LOOKED_AT: Final = 2_000
#: A shorter word stands in too many texts, and is a slip of too many others.
_SHORTEST_SOUND: Final = 4
_LETTERS_OF_A_SPACED_WORD: Final = 3


class Action(StrEnum):
    """What a reply asks for."""

    #: No more texts.
    OPT_OUT = "opt_out"
    #: Texts again.
    OPT_IN = "opt_in"
    #: It is kept only.
    HELP = "help"
    #: It may be meant as an opt-out: a person should read it.
    REVIEW = "review"
    #: Nothing that is known.
    NONE = ""


#: What gateways that keep opt-outs themselves take a reply for; see ``Reply.keyword``.
_WORDS_OF_GATEWAYS: Final[Mapping[str, Action]] = {
    "stop": Action.OPT_OUT,
    "start": Action.OPT_IN,
    "help": Action.HELP,
}


class OptOutScope(StrEnum):
    """What a STOP takes a number off."""

    EVERYTHING = "everything"
    #: Texts of the sender that was answered.
    SENDER = "sender"


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What was understood of one reply."""

    action: Action
    #: The word of our list that was found. Empty: none.
    keyword: str = ""


class KeywordsFile(BaseModel):
    """What an installation says of keywords; everything adds to the words that are shipped."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    opt_out: tuple[str, ...] = ()
    opt_in: tuple[str, ...] = ()
    help: tuple[str, ...] = ()
    #: Shipped words that are none here.
    leave_out: tuple[str, ...] = ()
    #: What a STOP takes a number off.
    opt_out_scope: OptOutScope = OptOutScope.EVERYTHING


@dataclass(frozen=True, slots=True, kw_only=True)
class Keywords:
    """The words that mean something, as ``normalise`` writes them."""

    actions: Mapping[str, Action] = field(repr=False)
    scope: OptOutScope = OptOutScope.EVERYTHING

    @classmethod
    def of(cls, own: KeywordsFile | None = None) -> Self:
        """Join the shipped words and those of an installation, which win."""
        given = own or KeywordsFile()
        left_out = {normalise(word) for word in given.leave_out}
        shipped = _actions_of(_shipped())
        kept = {word: action for word, action in shipped.items() if word not in left_out}
        return cls(actions=kept | _actions_of(given), scope=given.opt_out_scope)

    def words_of(self, action: Action) -> list[str]:
        """List the words of one action, sorted."""
        return sorted(word for word, found in self.actions.items() if found is action)


def normalise(text: str) -> str:
    """
    Write *text* as keywords are compared: no capitals, accents, punctuation or odd widths.

    Letters that stand apart are one word.

    Example:
        >>> normalise("  «Arrêt» !!"), normalise("Opt-Out"), normalise("S.T.O.P")
        ('arret', 'opt out', 'stop')
    """
    before, after = "", text[:_LOOKED_AT]
    while before != after:
        before, after = after, _once(after)
    return after


def _once(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    plain = unicodedata.normalize("NFKD", folded)
    letters = "".join(_letter(char) for char in plain)
    words = unicodedata.normalize("NFC", letters).split()
    if len(words) >= _LETTERS_OF_A_SPACED_WORD and all(len(word) == 1 for word in words):
        return "".join(words)
    return " ".join(words)


def _letter(char: str) -> str:
    """Give a letter or digit, nothing for an accent or an invisible mark, else a blank."""
    if char.isalnum():
        return char
    return "" if unicodedata.category(char) in {"Mn", "Me", "Cf"} else " "


def understand(text: str, keywords: Keywords) -> Understood:
    """
    Say what a reply asks for.

    An opt-out is the whole text, or stands at its beginning: rather one too many. An opt-in is
    the whole text: nobody is texted again by a guess. What only sounds like an opt-out (a slip
    of the pen, or the word further behind), or like an opt-in, is for a person to read.

    Example:
        >>> known = Keywords.of()
        >>> understand("Stop, please!", known)
        Understood(action=<Action.OPT_OUT: 'opt_out'>, keyword='stop')
        >>> understand("please stop", known).action.value, understand("Start!", known).action.value
        ('review', 'opt_in')
    """
    words = normalise(text).split()
    whole = " ".join(words)
    if whole in keywords.actions:
        return Understood(action=keywords.actions[whole], keyword=whole)
    found = _beginning(words, keywords)
    if found is not None and keywords.actions[found] is Action.OPT_OUT:
        return Understood(action=Action.OPT_OUT, keyword=found)
    if sounding := _sounds_like(words, keywords):
        return Understood(action=Action.REVIEW, keyword=sounding)
    if found is not None:
        action = keywords.actions[found]
        is_help = action is Action.HELP
        return Understood(action=action if is_help else Action.REVIEW, keyword=found)
    return Understood(action=Action.NONE)


def with_word_of_gateway(found: Understood, word: str) -> Understood:
    """
    Join what we understood with what the gateway took a reply for, where it keeps opt-outs itself.

    It may know words that we do not. An opt-out wins, whoever of the two saw it; a START of the
    gateway is no guess, for it sends to that person again; help is for what says nothing else.

    Args:
        word: ``stop``, ``start`` or ``help``. Anything else says nothing.

    Example:
        >>> with_word_of_gateway(Understood(action=Action.NONE), "stop").action.value
        'opt_out'
    """
    action = _WORDS_OF_GATEWAYS.get(word, Action.NONE)
    is_more = (
        found.action is not Action.OPT_OUT
        and action in {Action.OPT_OUT, Action.OPT_IN}
        and action is not found.action
    ) or (found.action is Action.NONE and action is Action.HELP)
    return Understood(action=action, keyword=word) if is_more else found


def _beginning(words: list[str], keywords: Keywords) -> str | None:
    """Find the longest keyword at the beginning; digits right behind it are a short code."""
    if not words:
        return None
    bare = words[0].rstrip("0123456789")
    for count in range(min(len(words), _longest(keywords)), 0, -1):
        found = " ".join(words[:count])
        if found in keywords.actions:
            return found
    return bare if bare in keywords.actions else None


def _longest(keywords: Keywords) -> int:
    return max((word.count(" ") + 1 for word in keywords.actions), default=0)


def _sounds_like(words: list[str], keywords: Keywords) -> str:
    """Find an opt-out word anywhere, or one that the first word misses by one slip."""
    padded = f" {' '.join(words)} "
    stops = [word for word in keywords.words_of(Action.OPT_OUT) if len(word) >= _SHORTEST_SOUND]
    inside = next((word for word in stops if f" {word} " in padded), "")
    if inside or not words:
        return inside
    return next((word for word in stops if _is_one_slip(words[0], word)), "")


def _is_one_slip(given: str, word: str) -> bool:
    """Whether one letter is wrong, missing or too much, or two neighbours are swapped."""
    if abs(len(given) - len(word)) > 1:
        return False
    start = 0
    while start < min(len(given), len(word)) and given[start] == word[start]:
        start += 1
    left, right = given[start:], word[start:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return swapped or left[1:] == right[1:] or left[1:] == right or left == right[1:]


def read_keywords(text: str, *, file: str = FILE) -> tuple[KeywordsFile | None, list[Problem]]:
    r"""
    Read the file of an installation.

    Returns:
        The file and no problem, or None and all problems, with lines and near names.

    Example:
        >>> for problem in read_keywords("opt_uot: [HALT]\nleave_out: [STOP]\n")[1]:
        ...     print(problem)
        keywords.yaml:1: opt_uot: unknown field 'opt_uot' (did you mean 'opt_out'?)
    """
    tree = read_tree(text)
    if not isinstance(tree.data, dict):
        shape = Problem(text="must say something of keywords", hint="opt_out: [HALT]", line=1)
        return None, in_file(tree.problems or [shape], file)
    found, problems = judge(tree, KeywordsFile)
    if found is not None:
        problems = list(_problems_of(found, tree))
    problems = sorted([*tree.problems, *problems], key=lambda each: each.line or 0)
    return None if problems else found, in_file(problems, file)


def _problems_of(given: KeywordsFile, tree: Tree) -> Iterable[Problem]:
    shipped = _actions_of(_shipped())
    seen: dict[str, str] = {}
    for path, word in _words_of(given):
        place, line = dotted(path), tree.line_of(path)
        plain = normalise(word)
        if not plain:
            yield Problem(field=place, text="has no letter and no digit", line=line)
        elif path[0] != "leave_out" and seen.setdefault(plain, str(path[0])) != path[0]:
            yield Problem(field=place, text=f"is in {seen[plain]} too", hint="keep one", line=line)
        elif path[0] == "leave_out" and plain not in shipped:
            hint = near(plain, shipped)
            yield Problem(field=place, text=f"{word!r} is not shipped", hint=hint, line=line)
        elif plain == "stop" and path[0] != "opt_out":
            text = "STOP is an opt-out everywhere"
            yield Problem(field=place, text=text, hint="take it out", line=line)


def _words_of(given: KeywordsFile) -> Iterable[tuple[tuple[str | int, ...], str]]:
    for name in ("opt_out", "opt_in", "help", "leave_out"):
        for place, word in enumerate(getattr(given, name)):
            yield (name, place), word


def _actions_of(given: KeywordsFile) -> dict[str, Action]:
    """Give the action of each word; an opt-out wins over the same word elsewhere."""
    return {
        normalise(word): action
        for action, words in (
            (Action.HELP, given.help),
            (Action.OPT_IN, given.opt_in),
            (Action.OPT_OUT, given.opt_out),
        )
        for word in words
    }


@cache
def _shipped() -> KeywordsFile:
    text = (files(__package__) / FILE).read_text("utf-8")
    return KeywordsFile.model_validate(read_tree(text).data)
