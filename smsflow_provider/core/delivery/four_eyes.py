"""
Who may decide about a delivery: not whoever made it, where four eyes are asked for.

Looked at where a decision is recorded, so that it holds whichever way an answer came: our page,
Airflow's page, or its API. Who prepared is known by the name under which Airflow started the run;
a run that a schedule started has nobody. Airflow's auth managers give a person an id and a name,
which may differ: both are compared, whatever their case, with the names of who made a delivery.

What is not known: who cleared a task of the run, so that it was prepared again.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from smsflow_provider.core.errors import NotAllowedError
from smsflow_provider.core.store.approvals import Decision
from smsflow_provider.core.store.deliveries import Delivery


class Bar(StrEnum):
    """Why a person may not decide about a delivery."""

    #: Whoever started or prepared it may not approve it.
    FOUR_EYES = "four_eyes"
    #: The delivery names who may, and this person is not among them.
    NOT_REVIEWER = "not_reviewer"


_SAID = {
    Bar.FOUR_EYES: "you started or prepared this delivery: somebody else must approve it",
    Bar.NOT_REVIEWER: "you are not among the reviewers of this delivery",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who logged in to Airflow."""

    #: Airflow's id, a number with some auth managers.
    id: str
    name: str = ""

    def is_among(self, known: Iterable[str]) -> bool:
        """Whether the id or the name is one of *known*, whatever its case."""
        own = {each.strip().casefold() for each in (self.id, self.name)} - {""}
        return not own.isdisjoint(each.strip().casefold() for each in known)


def bar_of(delivery: Delivery, person: Person, decision: Decision) -> Bar | None:
    """
    Say why *person* may not make *decision*; None: nothing of the delivery is against it.

    Whoever made a delivery may reject it.
    """
    reviewers = delivery.settings.get("reviewers", [])
    # By id and to the letter, as Airflow compares whom it lets answer: else one would take what
    # the other refuses, and a delivery be approved whose task is never told.
    if reviewers and person.id not in reviewers:
        return Bar.NOT_REVIEWER
    if decision is Decision.SEND and delivery.settings.get("four_eyes"):
        made_by = [*delivery.authors, delivery.created_by]
        return Bar.FOUR_EYES if person.is_among(made_by) else None
    return None


def check_person(delivery: Delivery, person: Person, decision: Decision) -> None:
    """
    Refuse a decision that *person* may not make.

    Raises:
        NotAllowedError: ``facts["rule"]`` is a ``Bar``.
    """
    bar = bar_of(delivery, person, decision)
    if bar is not None:
        raise NotAllowedError(_SAID[bar], delivery=delivery.id, rule=bar.value)
