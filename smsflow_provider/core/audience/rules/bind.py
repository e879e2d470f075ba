"""
Rules and a dimension become a plan: every name found, every value final, or all problems told.

What a run's parameters filled in is checked here as strictly as what was written: a text where a
number belongs is refused unless it is exactly a number, and a number is never taken for a text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

from smsflow_provider.core.audience.rules import plan, values
from smsflow_provider.core.audience.rules.compare import (
    Compared,
    Subject,
    compare,
    is_never_below_zero,
)
from smsflow_provider.core.audience.rules.dimension import (
    DATED_KINDS,
    ColumnSpec,
    Dimension,
    Link,
    Rows,
)
from smsflow_provider.core.audience.rules.moments import Clock, UnfitError, within
from smsflow_provider.core.audience.rules.plan import Function, Kind, Node, Output, Plan, Step
from smsflow_provider.core.audience.rules.resolve import column_of, hop_of, link_of, own_column
from smsflow_provider.core.audience.rules.rule import (
    AnyRule,
    Comparison,
    Condition,
    Group,
    LinkCount,
    Linked,
    LinkValue,
    Saved,
)
from smsflow_provider.core.audience.rules.tree import (
    MOST_CONDITIONS,
    MOST_DEPTH,
    WrongError,
    error_of,
)
from smsflow_provider.core.audience.rules.words import words_of
from smsflow_provider.core.document.problem import Problem, near_or_all
from smsflow_provider.core.errors import AudienceError

#: What aggregates of a kind come to; None: the kind itself. What is not there has no such one.
_RESULTS: Final[dict[Function, dict[Kind, Kind]]] = {
    Function.COUNT: dict.fromkeys(Kind, Kind.INTEGER),
    Function.SUM: {Kind.INTEGER: Kind.INTEGER, Kind.NUMBER: Kind.NUMBER},
    Function.AVERAGE: {Kind.INTEGER: Kind.NUMBER, Kind.NUMBER: Kind.NUMBER},
    Function.LEAST: {kind: kind for kind in Kind if kind not in {Kind.TEXT, Kind.BOOLEAN}},
    Function.GREATEST: {kind: kind for kind in Kind if kind not in {Kind.TEXT, Kind.BOOLEAN}},
    Function.LAST: {kind: kind for kind in Kind},
}
_NEVER_EMPTY: Final = frozenset({Function.COUNT, Function.SUM})


def bind(
    rules: AnyRule,
    *,
    dimension: Dimension,
    now: datetime,
    columns: Sequence[str] = (),
    regardless_of_consent: bool = False,
) -> Plan:
    """
    Make the plan of who the rules find.

    Args:
        rules: Read by ``read_rules``, with no template left in them.
        dimension: Whose names the rules use.
        now: With a zone; what ``today`` and ``30 days ago`` start from. The run's logical date,
            so that a run done again finds the same days.
        columns: What the audience carries besides id, phone, language and time zone, as rules
            name it; ``store.region`` becomes ``store_region``.
        regardless_of_consent: Leave out the steps of the dimension's consent columns.

    Raises:
        AudienceError: ``facts["problems"]`` lists all, each ``path: text (hint)``, with the near
            name; none of them repeats a value.

    Example:
        >>> from smsflow_provider.core.audience.rules.dimension import read_dimension
        >>> from smsflow_provider.core.audience.rules.tree import read_rules
        >>> data = {"table": "people", "key": "id", "phone": "tel", "columns": {"age": "integer"}}
        >>> people = read_dimension(data, name="people")
        >>> adults = read_rules([{"column": "age", "at_least": 18}])
        >>> found = bind(adults, dimension=people, now=datetime(2026, 1, 1, tzinfo=UTC))
        >>> [step.words for step in found.steps], [each.name for each in found.outputs]
        (['age is at least 18'], ['recipient_id', 'phone'])
    """
    if now.utcoffset() is None:
        raise AudienceError("the moment of the rules needs a time zone")
    if not isinstance(regardless_of_consent, bool):
        # The text "False" would be true, and nobody's consent would count.
        raise AudienceError("regardless_of_consent is not true or false")
    binder = _Binder(dimension, Clock(now=now, zone=dimension.zone))
    outputs = binder.outputs(columns)
    steps = [] if regardless_of_consent else list(binder.consent())
    steps.extend(binder.steps(rules))
    if binder.problems:
        raise error_of(binder.problems, what="the rules", dimension=dimension.name)
    return Plan(table=dimension.table, key=dimension.key, outputs=outputs, steps=tuple(steps))


def problems_of_filters(dimension: Dimension) -> list[Problem]:
    """Say what is wrong with the filters of *dimension*, also with those that no rule uses."""
    found: list[Problem] = []
    for name in dimension.filters:
        binder = _Binder(dimension, Clock(now=datetime(2026, 1, 1, tzinfo=UTC)))
        binder.node(Saved(filter=name), dimension, "rules", 1)
        found.extend(each for each in binder.problems if each not in found)
    return found


class _Binder:
    """One binding: gathers problems, and counts conditions with those of filters."""

    def __init__(self, dimension: Dimension, clock: Clock) -> None:
        self.dimension, self.clock = dimension, clock
        self.problems: list[Problem] = []
        self.count = 0
        #: Filters on the way from the root: one of them again has no end.
        self.open_filters: list[str] = []

    def outputs(self, columns: Sequence[str]) -> tuple[Output, ...]:
        """Find what the audience carries."""
        dimension = self.dimension
        fixed = {
            "recipient_id": dimension.key,
            "phone": dimension.phone,
            "language": dimension.language,
            "time_zone": dimension.time_zone,
        }
        found = {
            name: own_column(column, dimension, kind=Kind.TEXT)
            for name, column in fixed.items()
            if column is not None
        }
        if isinstance(columns, str):
            self._note("columns", "is not a list", "write [city, store.region]")
            columns = ()
        for at, path in enumerate(columns):
            place, name = f"columns[{at}]", path.replace(".", "_")
            try:
                column = column_of(path, dimension)[0]
            except UnfitError as error:
                self._note(place, error.text, error.hint)
                continue
            if found.setdefault(name, column) != column:
                self._note(place, f"the audience has another column {name!r} already")
        return tuple(Output(name=name, column=column) for name, column in found.items())

    def consent(self) -> Iterator[Step]:
        """Ask for each consent."""
        for at, name in enumerate(self.dimension.consent):
            spec = self.dimension.columns.get(name)
            column = plan.Column(name=(spec and spec.column) or name, kind=Kind.BOOLEAN)
            label = (spec and spec.label) or name
            node = plan.Compare(path=f"consent[{at}]", column=column, test=plan.Equals(value=True))
            yield Step(words=f"{label} is true", node=node)

    def steps(self, rules: AnyRule) -> Iterator[Step]:
        """Take the outermost *all* and *except* apart: each of their rules is one step."""
        if not isinstance(rules, Group):
            yield from self._step(rules, "rules")
            return
        for at, each in enumerate(rules.all):
            yield from self._step(each, f"rules.all[{at}]", depth=2)
        if rules.any:
            yield from self._step(Group(any=rules.any), "rules")
        for at, each in enumerate(rules.excepted):
            path = f"rules.except[{at}]"
            node = self.node(each, self.dimension, path, 2)
            if node is not None:
                said = f"not: {words_of(each, self.dimension)}"
                yield Step(words=said, node=plan.Except(path=path, node=node))

    def _step(self, rule: AnyRule, path: str, *, depth: int = 1) -> Iterator[Step]:
        node = self.node(rule, self.dimension, path, depth)
        if node is not None:
            yield Step(words=words_of(rule, self.dimension), node=node)

    def node(self, rule: AnyRule, rows: Rows, path: str, depth: int) -> Node | None:
        """Bind one rule about *rows*; None: it has problems, which are noted."""
        try:
            return self._node(rule, rows, path, depth)
        except WrongError as error:
            self.problems.append(error.problem)
            return None

    def _node(self, rule: AnyRule, rows: Rows, path: str, depth: int) -> Node | None:
        if depth > MOST_DEPTH:
            raise WrongError(path, f"is nested more than {MOST_DEPTH} deep, with its filters")
        if isinstance(rule, Group):
            return self._group(rule, rows, path, depth)
        self.count += 1
        if self.count > MOST_CONDITIONS:
            if self.count == MOST_CONDITIONS + 1:
                self._note(path, f"there are more than {MOST_CONDITIONS:,} conditions")
            return None
        match rule:
            case Condition():
                return self._condition(rule, rows, path)
            case Saved():
                return self._saved(rule, rows, path, depth)
            case _:
                return self._linked(rule, rows, path, depth)

    def _group(self, rule: Group, rows: Rows, path: str, depth: int) -> Node:
        nodes = self._nodes(rule.all, rows, f"{path}.all", depth)
        if rule.any:
            some = tuple(self._nodes(rule.any, rows, f"{path}.any", depth))
            if not rule.excepted:
                return plan.Any(path=path, nodes=some)
            nodes = [plan.Any(path=f"{path}.any", nodes=some)]
        out = self._nodes(rule.excepted, rows, f"{path}.except", depth)
        nodes += [plan.Except(path=each.path, node=each) for each in out]
        return plan.All(path=path, nodes=tuple(nodes))

    def _nodes(self, rules: Sequence[AnyRule], rows: Rows, path: str, depth: int) -> list[Node]:
        found = [self.node(each, rows, f"{path}[{at}]", depth + 1) for at, each in enumerate(rules)]
        return [each for each in found if each is not None]

    def _condition(self, rule: Condition, rows: Rows, path: str) -> Node:
        column, spec = self._column(rule.column, rows, f"{path}.column")
        subject = Subject(kind=column.kind, allowed=spec.values)
        asked = self._compared(rule, subject, path)
        return plan.Compare(
            path=path,
            column=column,
            test=asked.test,
            is_negated=asked.is_negated,
            fold=asked.fold,
        )

    def _saved(self, rule: Saved, rows: Rows, path: str, depth: int) -> Node | None:
        name, filters = rule.filter, self.dimension.filters
        if rows is not self.dimension:
            hint = "write its conditions out"
            text = f"is about {self.dimension.title}, not about linked rows"
            raise WrongError(f"{path}.filter", text, hint)
        if name not in filters:
            hint = near_or_all(name, filters) or "the dimension has no filters"
            raise WrongError(f"{path}.filter", f"unknown filter {name[:70]!r}", hint)
        if name in self.open_filters:
            cycle = " > ".join([*self.open_filters, name])
            raise WrongError(f"{path}.filter", f"holds itself: {cycle}")
        self.open_filters.append(name)
        try:
            return self.node(filters[name], rows, f"filters.{name}", depth + 1)
        finally:
            self.open_filters.pop()

    def _linked(self, rule: LinkCount | LinkValue, rows: Rows, path: str, depth: int) -> Node:
        try:
            link = link_of(rule.link, rows)
        except UnfitError as error:
            raise WrongError(f"{path}.link", error.text, error.hint) from None
        where = self._where(rule, link, path, depth)
        if isinstance(rule, LinkCount):
            return self._count(rule, hop_of(rule.link, link), _joined(where, path), path)
        return self._aggregate(rule, link, where, path)

    def _where(self, rule: Linked, link: Link, path: str, depth: int) -> list[Node]:
        """Give what a linked row must fulfil to count."""
        found: list[Node | None] = []
        if rule.where is not None:
            found.append(self.node(rule.where, link, f"{path}.where", depth + 1))
        for name in ("within_last", "within_next"):
            text = getattr(rule, name)
            if text is not None:
                found.append(self._window(rule, link, f"{path}.{name}", text))
        if rule.date is not None and rule.within_last is None and rule.within_next is None:
            is_last = isinstance(rule, LinkValue) and rule.function is Function.LAST
            if not is_last:
                self._note(f"{path}.date", "is for within_last, within_next and last")
        return [each for each in found if each is not None]

    def _window(self, rule: Linked, link: Link, path: str, text: str) -> Node | None:
        is_last = path.endswith("within_last")
        try:
            column = self._date(rule, link, path)
            if values.is_template(text):
                raise WrongError(path, values.STILL_TEMPLATE, values.TEMPLATE_HINT)
            test = within(text, is_last=is_last, kind=column.kind, clock=self.clock)
        except UnfitError as error:
            self._note(path, error.text, error.hint)
        except WrongError as error:
            self.problems.append(error.problem)
        else:
            return plan.Compare(path=path, column=column, test=test)
        return None

    def _date(self, rule: Linked, link: Link, path: str) -> plan.Column:
        """Find the column that says when a linked row was."""
        name = rule.date or link.date
        if name is None:
            hint = "add date: <column> here or to the link"
            raise WrongError(path, f"{rule.link} has no date", hint)
        column = self._column(name, link, f"{path.rpartition('.')[0]}.date")[0]
        if column.kind not in DATED_KINDS:
            text = f"is a column of kind {column.kind}, not a day or a moment"
            raise WrongError(f"{path.rpartition('.')[0]}.date", text)
        return column

    def _count(self, rule: LinkCount, hop: plan.Hop, where: Node | None, path: str) -> Node:
        low, high = rule.at_least, rule.at_most
        if isinstance(low, str) or isinstance(high, str):
            limit = "at_least" if isinstance(low, str) else "at_most"
            at = "exactly" if low == high else limit
            raise WrongError(f"{path}.{at}", values.STILL_TEMPLATE, values.TEMPLATE_HINT)
        return plan.Has(path=path, link=hop, where=where, at_least=low, at_most=high)

    def _aggregate(self, rule: LinkValue, link: Link, where: list[Node], path: str) -> Node:
        function, at = rule.function, f"{path}.{rule.function}"
        column, spec = (None, None) if rule.of is None else self._column(rule.of, link, at)
        kinds = _RESULTS[function]
        if column is not None and column.kind not in kinds:
            known = ", ".join(kinds)
            raise WrongError(at, f"does not go with a column of kind {column.kind}", known)
        if function in _NEVER_EMPTY and rule.comparison is Comparison.IS_NULL:
            raise WrongError(f"{path}.is_null", f"a {function} is never empty", "write equals: 0")
        if function is Function.COUNT and column is not None:
            filled = plan.Compare(path=at, column=column, test=plan.IsNull(), is_negated=True)
            where, column = [*where, filled], None
        kind = Kind.INTEGER if column is None else kinds[column.kind]
        allowed = spec.values if spec and function is Function.LAST else ()
        asked = self._compared(rule, Subject(kind=kind, allowed=allowed), path)
        if function is Function.COUNT and is_never_below_zero(asked.test):
            raise WrongError(f"{path}.{rule.comparison}", "is true of everyone", "0 is no limit")
        is_last = function is Function.LAST
        return plan.Aggregate(
            path=path,
            link=hop_of(rule.link, link),
            function=function,
            column=column,
            order=self._date(rule, link, at) if is_last else None,
            key=self._key(rule, link, at) if is_last else (),
            where=_joined(where, path),
            test=asked.test,
            is_negated=asked.is_negated,
            fold=asked.fold,
        )

    def _key(self, rule: Linked, link: Link, path: str) -> tuple[plan.KeyPart, ...]:
        if not link.key:
            hint = "add key: to the link, to tell rows of one moment apart"
            raise WrongError(path, f"{rule.link} has no key", hint)
        kinds = {spec.column or name: spec.type for name, spec in link.columns.items()}
        return tuple(plan.KeyPart(name=name, kind=kinds.get(name)) for name in link.key)

    def _column(self, name: str, rows: Rows, path: str) -> tuple[plan.Column, ColumnSpec]:
        try:
            return column_of(name, rows)
        except UnfitError as error:
            raise WrongError(path, error.text, error.hint) from None

    def _compared(self, rule: Condition | LinkValue, subject: Subject, path: str) -> Compared:
        """Make the test; of several problems all but the last are noted, the last is raised."""
        asked, wrong = compare(rule, subject, clock=self.clock)
        if asked is not None:
            return asked
        *others, (place, text, hint) = wrong
        for each in others:
            self._note(f"{path}{each[0]}", *each[1:])
        raise WrongError(f"{path}{place}", text, hint)

    def _note(self, path: str, text: str, hint: str = "") -> None:
        self.problems.append(Problem(field=path, text=text, hint=hint))


def _joined(nodes: list[Node], path: str) -> Node | None:
    """Make one node of all *nodes*; None: there are none."""
    if len(nodes) < 2:
        return nodes[0] if nodes else None
    return plan.All(path=f"{path}.where", nodes=tuple(nodes))
