from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import TopologicalSorter
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.workflow.graph import GraphStep, StepKind, check_graph, cycles

PREPARE, REVIEW, SEND = StepKind.PREPARE, StepKind.REVIEW, StepKind.SEND


def step(task_id: str, *upstream: str, **changes: Any) -> GraphStep:
    """Make a step whose id says its kind and delivery, as in ``sms.send``."""
    delivery, _, word = task_id.rpartition(".")
    kind = {"prepare": PREPARE, "review": REVIEW, "send": SEND, "report": StepKind.REPORT}.get(
        word, StepKind.OTHER
    )
    own = GraphStep(task_id=task_id, kind=kind, upstream=upstream, delivery=delivery or None)
    return replace(own, **changes)


AUDIENCE = step("people", kind=StepKind.BUILD_AUDIENCE)
P = step("sms.prepare", "people")
R = step("sms.review", "sms.prepare")
S = step("sms.send", "sms.review")
END = step("sms.report", "sms.send", trigger_rule="all_done")
SOUND = (AUDIENCE, P, R, S, END)


def texts(steps: Sequence[GraphStep]) -> list[str]:
    return [str(problem) for problem in check_graph(steps)]


def changed(**changes: GraphStep) -> list[GraphStep]:
    """The sound graph with some tasks exchanged, by the last word of their id."""
    return [changes.get(each.task_id.rpartition(".")[2], each) for each in SOUND]


OTHER_DELIVERY = (
    step("b.prepare", "people"),
    step("b.review", "b.prepare"),
    step("b.send", "b.review"),
)

SOUND_GRAPHS = {
    "one delivery": SOUND,
    "two deliveries of one audience": (*SOUND, *OTHER_DELIVERY),
    "a wait between review and send": (
        *changed(send=step("sms.send", "wait")),
        step("wait", "sms.review"),
    ),
    "a send that waits for two tasks behind its review": (
        *changed(send=step("sms.send", "sms.review", "wait")),
        step("wait", "sms.review"),
    ),
    "a send that is also handed the output of its preparation": changed(
        send=step("sms.send", "sms.review", "sms.prepare")
    ),
    "a review that waits for something else too": (
        *changed(review=step("sms.review", "sms.prepare", "holiday")),
        step("holiday"),
    ),
    "a task of any rule after the send": (*SOUND, step("x", "sms.send", trigger_rule="one_done")),
    "a task of any rule before the preparation": (
        *changed(prepare=step("sms.prepare", "x")),
        step("x", "people", trigger_rule="all_done"),
    ),
    "a setup and a teardown around it all": (
        *changed(prepare=step("sms.prepare", "people", "open")),
        step("open", is_setup=True),
        step("close", "open", "sms.report", is_teardown=True, trigger_rule="all_done"),
    ),
    "nothing": (),
    "no delivery at all": (step("a"), step("b", "a", trigger_rule="all_done")),
    "a preparation that nobody reviews": (AUDIENCE, P),
    "a review that nobody sends after": (AUDIENCE, P, R),
}


@pytest.mark.parametrize("name", SOUND_GRAPHS)
def test_a_sound_graph_has_no_problems(name: str) -> None:
    assert [] == texts(SOUND_GRAPHS[name])


WRONG_RULES = [
    "all_done",
    "all_failed",
    "all_skipped",
    "always",
    "none_failed",
    "none_failed_min_one_success",
    "none_skipped",
    "one_done",
    "one_failed",
    "one_success",
    "all_done_min_one_success",
    "all_done_setup_success",
]


@pytest.mark.parametrize("rule", WRONG_RULES)
@pytest.mark.parametrize("word", ["send", "review"])
def test_a_send_or_review_under_any_other_rule_is_refused(word: str, rule: str) -> None:
    loose = replace({"send": S, "review": R}[word], trigger_rule=rule)

    first = texts(changed(**{word: loose}))[0]

    assert first.startswith(f"sms.{word}: trigger rule {rule!r} would start it")


@pytest.mark.parametrize("rule", WRONG_RULES)
def test_a_task_of_another_rule_between_review_and_send_is_refused(rule: str) -> None:
    graph = [
        *changed(send=step("sms.send", "wait")),
        step("wait", "sms.review", trigger_rule=rule),
    ]

    assert [
        (
            "sms.send: can start without the review of its delivery"
            " (every task from 'sms.review' to it must run under all_success)"
        )
    ] == texts(graph)


REFUSED: dict[str, tuple[Sequence[GraphStep], list[str]]] = {
    "a send alone": (
        [step("sms.send")],
        ["sms.send: can start without the review"],
    ),
    "a send right after its preparation": (
        changed(send=step("sms.send", "sms.prepare")),
        ["sms.send: can start without the review"],
    ),
    "a send that a stranger also starts": (
        [*changed(send=step("sms.send", "sms.review", "x")), step("x")],
        ["sms.send: 'x' leads to it around its review"],
    ),
    "a send behind the review of another delivery": (
        [*changed(send=step("sms.send", "b.review")), *OTHER_DELIVERY],
        ["sms.send: can start without the review"],
    ),
    "a send before its review": (
        changed(send=step("sms.send", "sms.prepare"), review=step("sms.review", "sms.send")),
        ["sms.send: can start without the review"],
    ),
    "a review without a preparation": (
        [step("sms.review"), S],
        ["sms.review: can start without the preparation"],
    ),
    "a review of another preparation": (
        [*changed(review=step("sms.review", "b.prepare")), *OTHER_DELIVERY],
        ["sms.review: can start without the preparation"],
    ),
    "a review whose preparation is forgotten on the way": (
        [
            *changed(review=step("sms.review", "x")),
            step("x", "sms.prepare", trigger_rule="all_done"),
        ],
        ["sms.review: can start without the preparation"],
    ),
    "a mapped send": (
        changed(send=replace(S, is_mapped=True)),
        ["sms.send: is mapped"],
    ),
    "a mapped review": (
        changed(review=replace(R, is_mapped=True)),
        ["sms.review: is mapped"],
    ),
    "a mapped preparation": (
        changed(prepare=replace(P, is_mapped=True)),
        ["sms.prepare: is mapped"],
    ),
    "a send as teardown": (
        changed(send=replace(S, is_teardown=True, trigger_rule="all_done_setup_success")),
        ["sms.send: trigger rule", "sms.send: is a teardown"],
    ),
    "a send as setup": (
        changed(send=replace(S, is_setup=True)),
        ["sms.send: is a setup"],
    ),
    "a review as setup": (
        changed(review=replace(R, is_setup=True)),
        ["sms.review: is a setup"],
    ),
    "a setup between review and send": (
        [*changed(send=step("sms.send", "x")), step("x", "sms.review", is_setup=True)],
        ["sms.send: can start without the review"],
    ),
    "a teardown between review and send": (
        [
            *changed(send=step("sms.send", "x")),
            step("x", "sms.review", is_teardown=True, trigger_rule="all_done_setup_success"),
        ],
        ["sms.send: can start without the review"],
    ),
    "two sends of one delivery": (
        [*SOUND, step("again", "sms.review", kind=SEND, delivery="sms")],
        ["again: is a second send of the delivery of 'sms.send'"],
    ),
    "two reviews of one delivery": (
        [*SOUND, step("again", "sms.prepare", kind=REVIEW, delivery="sms")],
        ["again: is a second review of the delivery of 'sms.review'"],
    ),
    "two preparations of one delivery": (
        [*SOUND, step("again", "sms.review", kind=PREPARE, delivery="sms")],
        ["again: is a second prepare of the delivery of 'sms.prepare'"],
    ),
    "a send that names no delivery": (
        changed(send=replace(S, delivery=None)),
        ["sms.send: does not say which delivery it is about"],
    ),
    "tasks that wait for each other": (
        changed(people=step("people", "sms.report")),
        [
            (
                "people: tasks wait for each other: people -> sms.prepare -> sms.review"
                " -> sms.send -> sms.report -> people"
            )
        ],
    ),
    "an arrow from nowhere": (
        changed(send=step("sms.send", "sms.review", "gone")),
        ["sms.send: comes after unknown task 'gone'"],
    ),
    "one id twice": (
        [*SOUND, step("people")],
        ["people: two tasks have this id"],
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_graph_that_could_send_unapproved_is_refused(name: str) -> None:
    graph, beginnings = REFUSED[name]

    found = texts(graph)

    assert len(beginnings) == len(found), found
    for beginning, text in zip(beginnings, found, strict=True):
        assert text.startswith(beginning)


def test_every_problem_names_its_task_and_says_what_to_do() -> None:
    for graph, _ in REFUSED.values():
        for problem in check_graph(graph):
            assert problem.field
            assert (
                problem.hint or "wait for each other" in problem.text or "unknown" in problem.text
            )


def test_all_problems_are_told_at_once() -> None:
    graph = changed(
        send=replace(S, trigger_rule="all_done", upstream=("sms.prepare",)),
        review=replace(R, is_mapped=True, upstream=()),
    )

    assert {"sms.send", "sms.review"} == {problem.field for problem in check_graph(graph)}
    assert 4 == len(check_graph(graph))


@pytest.mark.parametrize(
    ("arrows", "expected"),
    [
        ({}, []),
        ({"a": [], "b": ["a"]}, []),
        ({"a": ["a"]}, [("a", "a")]),
        ({"a": ["b"], "b": ["a"]}, [("a", "b", "a")]),
        ({"a": ["c"], "b": ["a"], "c": ["b"]}, [("a", "b", "c", "a")]),
        ({"a": ["b"], "b": ["a"], "x": ["x"]}, [("a", "b", "a"), ("x", "x")]),
        ({"a": ["gone"]}, []),
    ],
)
def test_every_cycle_is_named_in_the_direction_of_the_arrows(
    arrows: dict[str, list[str]], expected: list[tuple[str, ...]]
) -> None:
    assert expected == sorted(cycles(arrows))


def test_a_long_chain_is_no_problem_for_the_search() -> None:
    chain = {str(at): [str(at - 1)] if at else [] for at in range(5000)}

    assert [] == cycles(chain)
    assert 1 == len(cycles(chain | {"0": ["4999"]}))


# A second opinion: Airflow's trigger rules played out task by task, with every outcome a task
# can have. What the check lets pass must never send without its review in any play.

_RULES: dict[str, Any] = {
    "all_success": lambda states: all(state == "success" for state in states),
    "all_done": lambda _: True,
    "always": lambda _: True,
    "all_failed": lambda states: bool(states) and all(state == "failed" for state in states),
    "all_skipped": lambda states: all(state == "skipped" for state in states),
    "one_success": lambda states: "success" in states,
    "one_failed": lambda states: "failed" in states,
    "one_done": lambda states: bool({"success", "failed"} & set(states)),
    "none_failed": lambda states: "failed" not in states,
    "none_skipped": lambda states: "skipped" not in states,
    "none_failed_min_one_success": lambda states: "failed" not in states and "success" in states,
}


def play(graph: Mapping[str, GraphStep], outcomes: Mapping[str, str]) -> dict[str, str]:
    """Run *graph*: a task that may start ends as *outcomes* says, any other is skipped."""
    states: dict[str, str] = {}
    for task_id in TopologicalSorter(
        {name: each.upstream for name, each in graph.items()}
    ).static_order():
        each = graph[task_id]
        starts = _RULES[each.trigger_rule]([states[other] for other in each.upstream])
        states[task_id] = outcomes[task_id] if starts else "skipped"
    return states


LINE = ["people", "a.prepare", "x", "a.review", "y", "b.prepare", "b.review", "a.send", "b.send"]
ODD_RULES = st.sampled_from(sorted(_RULES))


@st.composite
def graphs(draw: st.DrawFn) -> list[GraphStep]:
    """Tasks in a line, some left out, each after one or two of the three before it."""
    left_out = draw(st.sets(st.sampled_from(LINE), max_size=4))
    names = [name for name in LINE if name not in left_out] or LINE
    odd = draw(st.sets(st.sampled_from(names), max_size=2))
    return [
        step(
            name,
            *sorted(draw(st.sets(st.sampled_from(names[max(0, at - 3) : at]), max_size=2)))
            if at
            else (),
            trigger_rule=draw(ODD_RULES) if name in odd else "all_success",
        )
        for at, name in enumerate(names)
    ]


def ended(graph: Sequence[GraphStep], states: Mapping[str, str], kind: StepKind) -> set[str | None]:
    """Deliveries of which a task of *kind* ran, whatever came of it."""
    return {
        each.delivery for each in graph if each.kind is kind and states[each.task_id] != "skipped"
    }


@given(graphs(), st.data())
def test_no_play_of_a_graph_that_passes_sends_without_a_successful_review(
    graph: list[GraphStep], data: st.DataObject
) -> None:
    if any(problem for problem in check_graph(graph)):
        return
    by_id = {each.task_id: each for each in graph}
    outcome = st.sampled_from(["success", "failed", "skipped"])
    states = play(by_id, {name: data.draw(outcome) for name in by_id})

    reviewed = {
        each.delivery for each in graph if each.kind is REVIEW and states[each.task_id] == "success"
    }
    prepared = {
        each.delivery
        for each in graph
        if each.kind is PREPARE and states[each.task_id] == "success"
    }
    assert ended(graph, states, SEND) <= reviewed
    assert ended(graph, states, REVIEW) <= prepared


ORDERS = [
    ("prepare", "review", "x", "send"),
    ("prepare", "x", "review", "send"),
    ("review", "prepare", "x", "send"),
    ("prepare", "send", "review", "x"),
]
RULES_OF = {"x": sorted(_RULES), "prepare": ["all_success"]}
SOME_RULES = ["all_success", "all_done", "one_success"]
OUTCOMES = ("success", "failed", "skipped")


def every_small_graph(order: Sequence[str]) -> Iterator[list[GraphStep]]:
    """Every way to draw arrows forward between the tasks, under every choice of rules."""
    arrows = [list(subsets(order[:at])) for at in range(len(order))]
    rules = [RULES_OF.get(word, SOME_RULES) for word in order]
    for chosen in product(*arrows):
        for given_rules in product(*rules):
            yield [
                step(f"a.{word}", *(f"a.{other}" for other in before), trigger_rule=rule)
                for word, before, rule in zip(order, chosen, given_rules, strict=True)
            ]


def subsets(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    for size in range(len(words) + 1):
        yield from combinations(words, size)


def sends_unapproved(graph: Sequence[GraphStep]) -> bool:
    """Whether some play of *graph* runs its send without a review that succeeded."""
    by_id = {each.task_id: each for each in graph}
    for ends in product(OUTCOMES, repeat=len(graph)):
        states = play(by_id, dict(zip(by_id, ends, strict=True)))
        if states["a.send"] != "skipped" and states["a.review"] != "success":
            return True
    return False


@pytest.mark.parametrize("order", ORDERS)
def test_of_all_small_graphs_none_that_passes_can_send_unapproved(order: tuple[str, ...]) -> None:
    passed = [graph for graph in every_small_graph(order) if not check_graph(graph)]

    assert [] == [graph for graph in passed if sends_unapproved(graph)]
    assert (order.index("review") < order.index("send") and "prepare" == order[0]) == bool(passed)


@given(st.sampled_from(sorted(SOUND_GRAPHS)), st.data())
def test_a_sound_graph_without_one_of_its_guarding_arrows_is_refused(
    name: str, data: st.DataObject
) -> None:
    graph = list(SOUND_GRAPHS[name])
    guarded = [at for at, each in enumerate(graph) if each.kind in {SEND, REVIEW}]
    if not guarded:
        return
    at = data.draw(st.sampled_from(guarded))
    graph[at] = replace(graph[at], upstream=())

    assert graph[at].task_id in {problem.field for problem in check_graph(graph)}
