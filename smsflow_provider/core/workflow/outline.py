"""
What the activities of a workflow say about each other, and whether it holds together.

Works on an outline (names, kinds, references), so that it can also judge a workflow whose
other fields are not right yet: all problems are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from smsflow_provider.core.workflow.graph import cycles, written
from smsflow_provider.core.workflow.problem import Problem, near_or_all
from smsflow_provider.core.workflow.spec import BuildAudience, SmsDelivery, Workflow

BUILD_AUDIENCE = "build_audience"
SMS_DELIVERY = "sms_delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """One activity, reduced to what others can see of it."""

    #: ``build_audience``, ``sms_delivery``, or whatever stands there.
    kind: object
    #: Of a delivery: the activity it takes its audience from. None: it names none.
    audience: str | None = None
    #: Activities that must be done before it.
    after: tuple[str, ...] = ()
    #: Of an audience: the name it is saved under. None: it is not saved.
    save_as: str | None = None

    @property
    def before(self) -> tuple[str, ...]:
        """Every activity it refers to, its audience first, each once."""
        named = (self.audience,) if self.audience is not None else ()
        return tuple(dict.fromkeys((*named, *self.after)))


def outlines_of(workflow: Workflow) -> dict[str, Outline]:
    """Outline every activity of *workflow*, in its order."""
    return {name: _outline_of(each) for name, each in workflow.activities.items()}


def _outline_of(activity: BuildAudience | SmsDelivery) -> Outline:
    if isinstance(activity, SmsDelivery):
        return Outline(kind=activity.kind, audience=activity.audience, after=activity.after)
    return Outline(kind=activity.kind, after=activity.after, save_as=activity.save_as)


def raw_outlines(data: object) -> dict[str, Outline]:
    """Outline what a file holds, right or not; what cannot be an activity is left out."""
    activities = data.get("activities") if isinstance(data, Mapping) else None
    if not isinstance(activities, Mapping):
        return {}
    return {
        name: _raw_outline(each)
        for name, each in activities.items()
        if isinstance(name, str) and isinstance(each, Mapping)
    }


def _raw_outline(given: Mapping[object, object]) -> Outline:
    kind, after = given.get("kind"), given.get("after")
    names = after if isinstance(after, list) else []
    return Outline(
        kind=kind,
        audience=_text(given.get("audience")) if kind == SMS_DELIVERY else None,
        after=tuple(name for name in names if isinstance(name, str)),
        save_as=_text(given.get("save_as")),
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def reference_problems(outlines: Mapping[str, Outline]) -> list[Problem]:
    """
    Name everything that keeps *outlines* from being one workflow.

    Unknown references with their near names, cycles, what waits behind a cycle, deliveries
    without an audience, audiences nobody uses, names two audiences are saved under.

    Returns:
        The problems, fields as ``activities.<name>.<field>``. Empty: it holds together.
    """
    return [
        *_audiences(outlines),
        *_afters(outlines),
        *_cycles(outlines),
        *_unused(outlines),
        *_saved_twice(outlines),
    ]


def _audiences(outlines: Mapping[str, Outline]) -> Iterator[Problem]:
    known = [name for name, each in outlines.items() if each.kind == BUILD_AUDIENCE]
    for name, each in outlines.items():
        if each.kind != SMS_DELIVERY:
            continue
        field = f"activities.{name}.audience"
        if each.audience is None:
            hint = near_or_all("", known) or "add a build_audience activity and name it here"
            yield Problem(field=field, text="a delivery needs an audience", hint=hint)
        elif each.audience not in outlines:
            yield _unknown(field, each.audience, known)
        elif outlines[each.audience].kind == SMS_DELIVERY:
            hint = near_or_all("", known) or "name a build_audience activity"
            yield Problem(field=field, text=f"{each.audience!r} is not an audience", hint=hint)


def _afters(outlines: Mapping[str, Outline]) -> Iterator[Problem]:
    for name, each in outlines.items():
        for at, other in enumerate(each.after):
            if other not in outlines:
                others = [known for known in outlines if known != name]
                yield _unknown(f"activities.{name}.after.{at}", other, others)


def _unknown(field: str, name: str, known: Iterable[str]) -> Problem:
    return Problem(field=field, text=f"unknown activity {name!r}", hint=near_or_all(name, known))


def _cycles(outlines: Mapping[str, Outline]) -> Iterator[Problem]:
    before = {name: each.before for name, each in outlines.items()}
    found = cycles(before)
    for cycle in found:
        yield Problem(
            field=f"activities.{cycle[0]}",
            text=f"activities wait for each other: {written(cycle)}",
            hint="take one of these references away",
        )
    stuck = {name for cycle in found for name in cycle}
    for name in _behind(stuck, before):
        yield Problem(
            field=f"activities.{name}",
            text="can never start: it comes after activities that wait for each other",
        )


def _behind(stuck: set[str], before: Mapping[str, tuple[str, ...]]) -> list[str]:
    """Name what waits for *stuck*, however far away, in the order of *before*."""
    reached = set(stuck)
    while more := {name for name in before if reached & set(before[name])} - reached:
        reached |= more
    return [name for name in before if name in reached - stuck]


def _unused(outlines: Mapping[str, Outline]) -> Iterator[Problem]:
    used = {name for each in outlines.values() for name in each.before}
    for name, each in outlines.items():
        if each.kind == BUILD_AUDIENCE and name not in used and each.save_as is None:
            yield Problem(
                field=f"activities.{name}",
                text="nobody uses this audience",
                hint="name it in a delivery, keep it with save_as, or take it away",
            )


def _saved_twice(outlines: Mapping[str, Outline]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for name, each in outlines.items():
        if each.save_as is not None and first.setdefault(each.save_as, name) != name:
            yield Problem(
                field=f"activities.{name}.save_as",
                text=f"{first[each.save_as]!r} is saved under {each.save_as!r} too",
                hint="choose another name",
            )
