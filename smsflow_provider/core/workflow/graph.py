"""
The safety check of any graph of tasks: no send may start without its approval.

Pure and about names only, so that it judges compiled workflows and hand-written DAG files
alike. It proves one sentence: *if a send starts, its own review has succeeded*, and likewise
the preparation before the review. (The send task asks the store again before it sends; this
check is the first lock, not the only one.)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter

from smsflow_provider.core.workflow.problem import Problem

#: The only trigger rule under which a started task proves that what is before it succeeded.
ALL_SUCCESS = "all_success"


class StepKind(StrEnum):
    """What a task does, as far as safety is concerned."""

    BUILD_AUDIENCE = "build_audience"
    PREPARE = "prepare"
    REVIEW = "review"
    SEND = "send"
    REPORT = "report"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphStep:
    """One task of a graph, and the arrows that come in."""

    task_id: str
    kind: StepKind
    #: Airflow's word: ``all_success``, ``all_done``, …
    trigger_rule: str = ALL_SUCCESS
    #: Ids of the tasks directly before it.
    upstream: tuple[str, ...] = ()
    #: Which delivery a prepare, review, send or report is about. None: it does not say.
    delivery: str | None = None
    #: Whether Airflow makes several instances of it.
    is_mapped: bool = False
    is_setup: bool = False
    is_teardown: bool = False


def cycles(arrows: Mapping[str, Iterable[str]]) -> list[tuple[str, ...]]:
    """
    Find cycles that share no node, each with its first node repeated at its end.

    Args:
        arrows: What comes directly before each node. Names that are no node are ignored.

    Returns:
        Cycles in the direction of the arrows, each from the node that *arrows* names first.

    Example:
        >>> cycles({"a": ["b"], "b": ["a"], "c": []})
        [('a', 'b', 'a')]
    """
    left = {node: [each for each in before if each in arrows] for node, before in arrows.items()}
    found = []
    while cycle := _one_cycle(left):
        found.append(_from_first(cycle[:-1], list(arrows)))
        left = _without(left, set(cycle))
    return found


def written(cycle: Iterable[str]) -> str:
    """Write a cycle for people: ``a -> b -> a``."""
    return " -> ".join(cycle)


def check_graph(steps: Sequence[GraphStep]) -> list[Problem]:
    """
    Name every way in which a send could start without its approval.

    Refused: a send or a review under any rule but ``all_success``, mapped, or as a setup or
    teardown; a send whose review need not have succeeded, or that a path around it leads to;
    a review whose preparation need not have succeeded; two tasks of one kind for one delivery;
    tasks that say no delivery; cycles, and arrows from nowhere. What stands between review and
    send is welcome as long as it runs under ``all_success`` too.

    Returns:
        The problems, each with the task's id as its field. Empty: the sentence above holds.

    Example:
        >>> alone = GraphStep(task_id="send", kind=StepKind.SEND, delivery="sms")
        >>> [problem.text for problem in check_graph([alone])]
        ['can start without the review of its delivery']
    """
    return [*_shape(steps), *_twins(steps), *_rules(steps), *_bypasses(steps)]


def _one_cycle(before: Mapping[str, Sequence[str]]) -> list[str]:
    try:
        TopologicalSorter(before).prepare()
    except CycleError as error:
        nodes: list[str] = error.args[1]
        return nodes
    return []


def _from_first(nodes: list[str], order: list[str]) -> tuple[str, ...]:
    start = min(range(len(nodes)), key=lambda at: order.index(nodes[at]))
    turned = nodes[start:] + nodes[:start]
    return (*turned, turned[0])


def _without(before: Mapping[str, Sequence[str]], gone: set[str]) -> dict[str, list[str]]:
    return {
        node: [each for each in given if each not in gone]
        for node, given in before.items()
        if node not in gone
    }


def _shape(steps: Sequence[GraphStep]) -> Iterator[Problem]:
    """Twice the same id, arrows from nowhere, cycles."""
    counts = Counter(step.task_id for step in steps)
    for task_id in (task_id for task_id, count in counts.items() if count > 1):
        yield Problem(field=task_id, text="two tasks have this id", hint="rename one of them")
    for step in steps:
        for missing in sorted(set(step.upstream) - set(counts)):
            yield Problem(field=step.task_id, text=f"comes after unknown task {missing!r}")
    for cycle in cycles({step.task_id: step.upstream for step in steps}):
        yield Problem(field=cycle[0], text=f"tasks wait for each other: {written(cycle)}")


_GUARDED = (StepKind.PREPARE, StepKind.REVIEW, StepKind.SEND)


def _twins(steps: Sequence[GraphStep]) -> Iterator[Problem]:
    """One preparation, one review, one send for each delivery, and each says which."""
    first: dict[tuple[str, StepKind], str] = {}
    for step in (step for step in steps if step.kind in _GUARDED):
        if step.delivery is None:
            yield Problem(
                field=step.task_id,
                text="does not say which delivery it is about",
                hint="use SmsDeliveryOperator, or hand it the output of its prepare task",
            )
            continue
        twin = first.setdefault((step.delivery, step.kind), step.task_id)
        if twin != step.task_id:
            yield Problem(
                field=step.task_id,
                text=f"is a second {step.kind.value} of the delivery of {twin!r}",
                hint="make it a delivery of its own, or take one of the two away",
            )


def _rules(steps: Sequence[GraphStep]) -> Iterator[Problem]:
    """How Airflow may start a review and a send."""
    for step in steps:
        if step.kind in (StepKind.REVIEW, StepKind.SEND):
            yield from _rules_of(step)
        elif step.kind is StepKind.PREPARE and step.is_mapped:
            yield _mapped(step)


def _rules_of(step: GraphStep) -> Iterator[Problem]:
    if step.trigger_rule != ALL_SUCCESS:
        yield Problem(
            field=step.task_id,
            text=f"trigger rule {step.trigger_rule!r} would start it after a failure or a skip",
            hint=f"take trigger_rule away; a {step.kind.value} runs under all_success only",
        )
    if step.is_mapped:
        yield _mapped(step)
    if step.is_setup or step.is_teardown:
        role = "setup" if step.is_setup else "teardown"
        yield Problem(
            field=step.task_id,
            text=f"is a {role}, which Airflow starts by other rules",
            hint=f"make it an ordinary task: take as_{role} away",
        )


def _mapped(step: GraphStep) -> Problem:
    return Problem(
        field=step.task_id,
        text="is mapped: one approval would stand for several instances",
        hint="take expand or the mapped group away; make one delivery of the whole audience",
    )


def _bypasses(steps: Sequence[GraphStep]) -> Iterator[Problem]:
    """Whether each send proves its review, and each review its preparation."""
    if cycles({step.task_id: step.upstream for step in steps}):
        return
    paths = _paths_of({step.task_id: step for step in steps})
    for step in steps:
        if step.kind is StepKind.SEND and step.delivery is not None:
            yield from _around(step, StepKind.REVIEW, paths)
        if step.kind is StepKind.REVIEW and step.delivery is not None:
            yield from _around(step, StepKind.PREPARE, paths)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Paths:
    """What is before each task."""

    graph: Mapping[str, GraphStep]
    #: Tasks from which arrows lead to it.
    earlier: Mapping[str, frozenset[str]]
    #: Those of them that have surely succeeded when it starts.
    proven: Mapping[str, frozenset[str]]


def _paths_of(graph: Mapping[str, GraphStep]) -> _Paths:
    earlier: dict[str, frozenset[str]] = {}
    proven: dict[str, frozenset[str]] = {}
    before = {task_id: set(step.upstream) & set(graph) for task_id, step in graph.items()}
    for task_id in TopologicalSorter(before).static_order():
        near = before[task_id]
        earlier[task_id] = frozenset(near).union(*(earlier[each] for each in near))
        sure = frozenset(near).union(*(proven[each] for each in near))
        proven[task_id] = sure if _is_plain(graph[task_id]) else frozenset()
    return _Paths(graph=graph, earlier=earlier, proven=proven)


def _is_plain(step: GraphStep) -> bool:
    return step.trigger_rule == ALL_SUCCESS and not (step.is_setup or step.is_teardown)


def _around(step: GraphStep, needed: StepKind, paths: _Paths) -> Iterator[Problem]:
    """Refuse a *step* that can start without the *needed* one of its own delivery."""
    gates = {
        each.task_id
        for each in paths.graph.values()
        if each.kind is needed and each.delivery == step.delivery
    }
    before = [each for each in step.upstream if each in paths.graph]
    guarded = {each for each in before if gates & (paths.proven[each] | {each})}
    # What the review itself comes after may hand its output to the send as well.
    known = guarded.union(*(paths.earlier[each] for each in gates))
    strangers = sorted(set(before) - known)
    if not guarded:
        yield _unguarded(step, needed, gates)
    elif strangers and step.kind is StepKind.SEND:
        yield Problem(
            field=step.task_id,
            text=f"{', '.join(map(repr, strangers))} leads to it around its review",
            hint=f"put it before {min(gates)!r}, or after it",
        )


def _unguarded(step: GraphStep, needed: StepKind, gates: set[str]) -> Problem:
    word = {StepKind.REVIEW: "review", StepKind.PREPARE: "preparation"}[needed]
    hint = (
        f"every task from {min(gates)!r} to it must run under all_success"
        if gates
        else "use SmsDeliveryOperator, which brings prepare, review_and_send and send"
    )
    return Problem(
        field=step.task_id, text=f"can start without the {word} of its delivery", hint=hint
    )
