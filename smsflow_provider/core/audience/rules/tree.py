"""
Rules from plain data: YAML, JSON or Python, checked as far as they can be without a dimension.

A rule is a mapping with ``column``, ``link`` or ``filter``, a group (``all``, ``any``,
``except``), or a list, which means ``all``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from smsflow_provider.core.audience.rules import values
from smsflow_provider.core.audience.rules.moments import UnfitError
from smsflow_provider.core.audience.rules.plan import Fold, Function
from smsflow_provider.core.audience.rules.rule import (
    AnyRule,
    Comparison,
    Condition,
    Count,
    Group,
    LinkCount,
    LinkValue,
    Rule,
    Saved,
    Scalar,
)
from smsflow_provider.core.document.problem import Problem, near, near_or_all
from smsflow_provider.core.errors import AudienceError

#: Rules within rules. Deeper ones are no rules anybody could review.
MOST_DEPTH: Final = 20
#: Conditions of one tree, those on linked rows and saved filters included; and as many groups.
MOST_CONDITIONS: Final = 1_000
#: Problems that are told; of more, only how many.
MOST_PROBLEMS: Final = 100

_HEADS: Final = ("column", "link", "filter")
_GROUP: Final = ("all", "any", "except", "everyone")
_COUNTS: Final = ("any", "none", "exactly", "at_least", "at_most")
_ROWS: Final = ("where", "within_last", "within_next", "date")
_COMPARISONS: Final = tuple(map(str, Comparison))
_FUNCTIONS: Final = tuple(map(str, Function))
#: Of what linked rows come to; within_last and within_next say there which rows count.
_VALUE_COMPARISONS: Final = tuple(
    name for name in _COMPARISONS if name not in {"within_last", "within_next", "anniversary"}
)
_SHAPES: Final = "write {column: …}, {link: …}, {filter: …}, or all:, any:, except: with a list"
_EACH: Final = "write each as a condition of its own, or between: [lowest, highest]"
#: What people write, and what it is here.
_WORDS: Final = {
    "not": "write except: with what is taken out",
    "or": "write any: with a list of rules",
    "and": "write all: with a list of rules",
}
_EVERYONE: Final = "write everyone: true if everyone is meant"


def read_rules(data: object, *, path: str = "rules") -> AnyRule:
    """
    Read rules as people write them; a ``Rule`` is read again.

    Templates (``{{ … }}``) may stand for any value, for no name; ``bind`` wants them filled in.

    Args:
        data: Mappings, lists, texts, numbers, booleans, dates.
        path: What stands before the path of a problem.

    Raises:
        AudienceError: ``facts["problems"]`` lists all, each ``path: text (hint)``, with the near
            name; none of them repeats a value.

    Example:
        >>> read_rules({"column": "age", "at_least": 18}).as_data()
        {'column': 'age', 'at_least': 18}
        >>> try:
        ...     read_rules([{"column": "age", "atleast": 18}])
        ... except AudienceError as error:
        ...     error.facts["problems"]
        ["rules.all[0].atleast: unknown field 'atleast' (did you mean 'at_least'?)"]
    """
    rule, problems = look_at_rules(data, path=path)
    if rule is None:
        raise error_of(problems, what="the rules")
    return rule


def look_at_rules(data: object, *, path: str = "rules") -> tuple[AnyRule | None, list[Problem]]:
    """Read rules as ``read_rules``; give the rule and no problem, or None and all problems."""
    reader = _Reader()
    rule = reader.rule(data, path, 1)
    return (None if reader.problems else rule), reader.problems


def error_of(problems: Sequence[Problem], *, what: str, **facts: object) -> AudienceError:
    """Make one error of all *problems*; of very many, it tells the first and how many."""
    noun = "problem" if len(problems) == 1 else "problems"
    told = [str(each) for each in problems[:MOST_PROBLEMS]]
    if len(problems) > MOST_PROBLEMS:
        told.append(f"and {len(problems) - MOST_PROBLEMS} more")
    return AudienceError(f"{len(problems)} {noun} in {what}", problems=told, **facts)


def _hint_of_group(data: Mapping[str, Any]) -> str:
    """Say how a condition is written to who wrote ``city: Paris``."""
    name = next(iter(data))
    return f"write {{column: {name}, equals: …}}" if len(data) == 1 and name.isidentifier() else ""


class WrongError(Exception):
    """What ends the reading of one rule; its neighbours are read on."""

    def __init__(self, path: str, text: str, hint: str = "") -> None:
        super().__init__(text)
        self.problem = Problem(field=path, text=text, hint=hint)


class _Reader:
    """One reading: gathers problems, and counts conditions and groups."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.counts = {"conditions": 0, "groups": 0}

    def rule(self, data: object, path: str, depth: int) -> AnyRule | None:
        """Read one rule; None: it has problems, which are noted."""
        try:
            return self._read(data, path, depth)
        except WrongError as error:
            self.problems.append(error.problem)
            return None

    def _read(self, data: object, path: str, depth: int) -> AnyRule | None:
        if depth > MOST_DEPTH:
            raise WrongError(path, f"is nested more than {MOST_DEPTH} deep")
        if isinstance(data, Rule):
            data = data.as_data()
        if isinstance(data, list | tuple):
            if not self._counts("groups", path):
                return None
            parts = self._parts(data, f"{path}.all", depth)
            return Group(all=parts) if parts else None
        if not isinstance(data, Mapping):
            raise WrongError(path, "is not a rule", _SHAPES)
        if not self._has_text_keys(data, path):
            return None
        return self._mapping(data, path, depth)

    def _mapping(self, data: Mapping[str, Any], path: str, depth: int) -> AnyRule | None:
        heads = [name for name in _HEADS if name in data]
        if len(heads) > 1:
            raise WrongError(path, f"has {' and '.join(heads)}", "a rule has one of them")
        if not heads:
            return self._group(data, path, depth)
        if not self._counts("conditions", path):
            return None
        name = self._name(data[heads[0]], f"{path}.{heads[0]}")
        match heads[0]:
            case "column":
                return self._condition(data, path, name)
            case "link":
                return self._linked(data, path, depth, name)
            case _:
                fits = self._knows(data, ("filter",), path)
                return Saved(filter=name) if fits and name else None

    def _counts(self, what: str, path: str) -> bool:
        """Count one more; say once that there are too many."""
        self.counts[what] += 1
        if self.counts[what] == MOST_CONDITIONS + 1:
            self._refuse(path, f"there are more than {MOST_CONDITIONS:,} {what}")
        return self.counts[what] <= MOST_CONDITIONS

    def _group(self, data: Mapping[str, Any], path: str, depth: int) -> Group | None:
        if not self._counts("groups", path):
            return None
        if not data:
            raise WrongError(path, "has no condition", _EVERYONE)
        before = len(self.problems)
        strays = [name for name in data if name in _COMPARISONS and name not in _GROUP]
        if strays and not any(name in data for name in _GROUP):
            raise WrongError(path, f"has {strays[0]} and no column", "add column: <name>")
        self._knows(data, (*_GROUP, *_HEADS), path, hint=_hint_of_group(data))
        kinds = [name for name in ("all", "any", "everyone") if name in data]
        if len(kinds) > 1:
            self._refuse(path, f"has {' and '.join(kinds)}", "put one of them into the other")
        if "everyone" in data and data["everyone"] is not True:
            self._refuse(f"{path}.everyone", "is true or is left out")
        lists = {
            name: self._parts(data[name], f"{path}.{name}", depth)
            for name in ("all", "any", "except")
            if name in data
        }
        if len(self.problems) > before:
            return None
        return Group(
            all=lists.get("all", ()), any=lists.get("any", ()), excepted=lists.get("except", ())
        )

    def _parts(self, data: object, path: str, depth: int) -> tuple[AnyRule, ...]:
        """Read the rules of a list; a rule alone is a list of one."""
        data = [data] if isinstance(data, Mapping | Rule) else data
        if not isinstance(data, list | tuple):
            self._refuse(path, "is not a list of rules", _SHAPES)
            return ()
        if not data:
            self._refuse(path, "is an empty list", _EVERYONE)
        found = [self.rule(each, f"{path}[{at}]", depth + 1) for at, each in enumerate(data)]
        return tuple(each for each in found if each is not None)

    def _condition(self, data: Mapping[str, Any], path: str, name: str) -> Condition | None:
        known = ("column", "fold", *_COMPARISONS)
        if not self._knows(data, known, path):
            return None
        comparison = self._comparison(data, _COMPARISONS, path)
        if comparison is None:
            return None
        value = self._value(comparison, data[comparison], f"{path}.{comparison}")
        fold = self._fold(data, path)
        if value is None or fold is None or not name:
            return None
        return Condition(column=name, comparison=comparison, value=value, fold=fold)

    def _linked(
        self, data: Mapping[str, Any], path: str, depth: int, name: str
    ) -> LinkCount | LinkValue | None:
        functions = [each for each in _FUNCTIONS if each in data]
        if len(functions) > 1:
            raise WrongError(path, f"has {' and '.join(functions)}", "write one of them")
        strays = [name for name in _VALUE_COMPARISONS if name in data and name not in _COUNTS]
        if strays and not functions:
            hint = f"add one of {', '.join(_FUNCTIONS)}, or write {strays[0]} into where:"
            raise WrongError(path, f"has {strays[0]} and does not say of what", hint)
        more = (*functions, "fold", *_VALUE_COMPARISONS) if functions else (*_COUNTS, *_FUNCTIONS)
        before = len(self.problems)
        if not self._knows(data, ("link", *_ROWS, *more), path):
            return None
        rows = self._rows(data, path, depth)
        found = (
            self._linked_value(data, path, Function(functions[0]))
            if functions
            else self._linked_count(data, path)
        )
        if found is None or len(self.problems) > before or not name:
            return None
        kind = LinkValue if functions else LinkCount
        return kind(link=name, **rows, **found)

    def _rows(self, data: Mapping[str, Any], path: str, depth: int) -> dict[str, Any]:
        """Read which linked rows count."""
        found: dict[str, Any] = {}
        if "where" in data:
            found["where"] = self.rule(data["where"], f"{path}.where", depth + 1)
        windows = [name for name in ("within_last", "within_next") if name in data]
        if len(windows) > 1:
            self._refuse(path, f"has {' and '.join(windows)}", "write one of them")
        for name in windows:
            found[name] = self._value(Comparison(name), data[name], f"{path}.{name}")
        if "date" in data:
            found["date"] = self._name(data["date"], f"{path}.date")
        return found

    def _linked_value(
        self, data: Mapping[str, Any], path: str, function: Function
    ) -> dict[str, Any] | None:
        of, at = data[function], f"{path}.{function}"
        if of is True and function is Function.COUNT:
            of = None
        elif isinstance(of, bool):
            raise WrongError(at, "needs a column", f"write {function}: <column>")
        else:
            of = self._name(of, at)
        comparison = self._comparison(data, _VALUE_COMPARISONS, path)
        if comparison is None:
            return None
        value = self._value(comparison, data[comparison], f"{path}.{comparison}")
        fold = self._fold(data, path)
        if value is None or fold is None:
            return None
        return {
            "function": function,
            "of": of,
            "comparison": comparison,
            "value": value,
            "fold": fold,
        }

    def _linked_count(self, data: Mapping[str, Any], path: str) -> dict[str, Any] | None:
        ways = [name for name in _COUNTS if name in data]
        if not ways:
            raise WrongError(
                path, "does not say how many", f"add one of {', '.join((*_COUNTS, *_FUNCTIONS))}"
            )
        if len(ways) > 1 and ways != ["at_least", "at_most"]:
            raise WrongError(path, f"has {' and '.join(ways)}", "write one of them")
        if ways[0] in {"any", "none"}:
            if data[ways[0]] is not True:
                raise WrongError(f"{path}.{ways[0]}", "is true or is left out")
            return {"at_least": 1} if ways[0] == "any" else {"at_least": 0, "at_most": 0}
        counts = {name: self._count(data[name], f"{path}.{name}") for name in ways}
        if None in counts.values():
            return None
        if "exactly" in counts:
            return {"at_least": counts["exactly"], "at_most": counts["exactly"]}
        return self._limits(counts.get("at_least"), counts.get("at_most"), path)

    def _limits(self, low: Count | None, high: Count | None, path: str) -> dict[str, Any] | None:
        if high is None and low == 0:
            raise WrongError(f"{path}.at_least", "everyone has at least 0", "write 1 or more")
        if isinstance(low, int) and isinstance(high, int) and low > high:
            raise WrongError(path, "has at_least above at_most")
        return {"at_least": 0 if low is None else low, "at_most": high}

    def _count(self, value: object, path: str) -> Count | None:
        try:
            return values.read_count(value)
        except UnfitError as error:
            raise WrongError(path, error.text, error.hint) from None

    def _comparison(
        self, data: Mapping[str, Any], known: Iterable[str], path: str
    ) -> Comparison | None:
        found = [name for name in known if name in data]
        if len(found) == 1:
            return Comparison(found[0])
        if found:
            raise WrongError(path, f"has {len(found)} comparisons, {' and '.join(found)}", _EACH)
        raise WrongError(path, "has no comparison", f"add one of {', '.join(known)}")

    def _value(
        self, comparison: Comparison, value: object, path: str
    ) -> Scalar | tuple[Scalar, ...] | None:
        found, problems = values.read_value(comparison, value)
        for place, text, hint in problems:
            self._refuse(f"{path}{place}", text, hint)
        return found

    def _fold(self, data: Mapping[str, Any], path: str) -> Fold | None:
        given = data.get("fold", Fold.NOTHING)
        if isinstance(given, str) and given in set(Fold):
            return Fold(given)
        raise WrongError(f"{path}.fold", "is not a way to fold", near_or_all(given, Fold))

    def _name(self, value: object, path: str) -> str:
        """Read the name of a column, a link or a filter; empty: it is none."""
        if not isinstance(value, str) or not value.strip():
            self._refuse(path, "is not a name")
            return ""
        if values.is_template(value):
            self._refuse(path, "is a template", "values may be templates, names may not")
            return ""
        return value

    def _knows(
        self, data: Mapping[str, Any], known: Sequence[str], path: str, *, hint: str = ""
    ) -> bool:
        strange = [name for name in data if name not in known]
        for name in strange:
            shown = name[:60]
            told = near(shown, known) or _WORDS.get(shown) or hint or near_or_all(shown, known)
            self._refuse(f"{path}.{shown}", f"unknown field {shown!r}", told)
        return not strange

    def _has_text_keys(self, data: Mapping[Any, Any], path: str) -> bool:
        wrong = [key for key in data if not isinstance(key, str)]
        for key in wrong:
            hint = 'YAML reads on as true: write "on"' if key is True else "put it in quotes"
            self._refuse(path, "has a key that is not a text", hint)
        return not wrong

    def _refuse(self, path: str, text: str, hint: str = "") -> None:
        self.problems.append(Problem(field=path, text=text, hint=hint))
