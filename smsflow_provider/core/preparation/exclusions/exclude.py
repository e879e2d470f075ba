"""Apply every reason that needs no text, in the order of ``Exclusion``."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from smsflow_provider.core.model import Exclusion
from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.control_group import control_group
from smsflow_provider.core.preparation.exclusions.duplicate import duplicates
from smsflow_provider.core.preparation.exclusions.excluded_audience import excluded_audience
from smsflow_provider.core.preparation.exclusions.filtered import filtered
from smsflow_provider.core.preparation.exclusions.invalid_number import invalid_number
from smsflow_provider.core.preparation.exclusions.membership import Found
from smsflow_provider.core.preparation.exclusions.no_address import no_address
from smsflow_provider.core.preparation.exclusions.opted_out import opted_out
from smsflow_provider.core.preparation.exclusions.pressure import pressure
from smsflow_provider.core.preparation.exclusions.quarantined import quarantined
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules, Lists
from smsflow_provider.core.preparation.exclusions.size_limit import size_limit

Reasons = Iterator[tuple[Exclusion, Iterator[Found]]]


def exclude(
    candidates: Candidates,
    rules: ExclusionRules,
    lists: Lists,
    *,
    on_reason: Callable[[Exclusion], None] = lambda _: None,
) -> None:
    """
    Leave out whoever must get no message; each row keeps the first reason that holds.

    ``missing_field`` and ``too_long`` need the texts and are not decided here.

    Args:
        candidates: Changed in place.
        rules: What narrows the people of this delivery.
        lists: Every list the rules ask; see ``load_lists``.
        on_reason: Called when a reason has been applied to all rows; what it raises ends it all.

    Raises:
        ValueError: A list or a rule column that a rule asks for is not there.
    """
    _apply(candidates, _of_numbers(candidates, rules, lists), on_reason)
    candidates.leave_out_losers(*duplicates(candidates, rules.population.duplicates))
    on_reason(Exclusion.DUPLICATE)
    _apply(candidates, _of_people(candidates, rules, lists), on_reason)


def _apply(
    candidates: Candidates, reasons: Reasons, on_reason: Callable[[Exclusion], None]
) -> None:
    for reason, found in reasons:
        for rows, detail in found:
            candidates.leave_out(rows, reason, detail)
        on_reason(reason)


def _of_numbers(candidates: Candidates, rules: ExclusionRules, lists: Lists) -> Reasons:
    """Give the reasons that lie in the number, in their order."""
    yield Exclusion.NO_ADDRESS, no_address(candidates)
    yield Exclusion.INVALID_NUMBER, invalid_number(candidates, rules.population.numbers)
    yield Exclusion.OPTED_OUT, opted_out(candidates, rules.scopes, opt_outs=lists.opt_outs)
    yield Exclusion.QUARANTINED, quarantined(candidates, lists.quarantined)


def _of_people(candidates: Candidates, rules: ExclusionRules, lists: Lists) -> Reasons:
    """Give the reasons behind ``duplicate``, in their order."""
    people = rules.population
    yield Exclusion.FILTERED, filtered(candidates, rules.filters, allowed=lists.allowed)
    yield (
        Exclusion.EXCLUDED_AUDIENCE,
        excluded_audience(candidates, people.audiences, audiences=lists.audiences),
    )
    if people.control_group is not None:
        yield (
            Exclusion.CONTROL_GROUP,
            control_group(candidates, people.control_group, draw=rules.draw),
        )
    for rule in rules.pressures:
        yield Exclusion.PRESSURE, pressure(candidates, rule, contacts=lists.contacts)
    if people.size_limit is not None:
        yield Exclusion.SIZE_LIMIT, size_limit(candidates, people.size_limit)
