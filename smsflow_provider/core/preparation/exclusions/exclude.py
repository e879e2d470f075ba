"""Apply every reason that needs no text, in the order of ``Exclusion``."""

from __future__ import annotations

from smsflow_provider.core.preparation.candidates import Candidates
from smsflow_provider.core.preparation.exclusions.rules import ExclusionRules, Lists


def exclude(candidates: Candidates, rules: ExclusionRules, lists: Lists) -> None:
    """
    Leave out whoever must get no message; each row keeps the first reason that holds.

    Args:
        candidates: Changed in place.
        rules: What narrows the people of this delivery.
        lists: Every list the rules ask; see ``load_lists``.

    Raises:
        ValueError: A list that a rule asks for was not loaded.
        KeyError: A rule column that a rule asks for is not there.
    """
