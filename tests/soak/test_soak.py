"""The kill tests in short; ``make soak`` runs the long ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.requirements import require_program
from tests.soak.accounts import Accounts
from tests.soak.faults import ALL, OURS
from tests.soak.run import Plan, soak, through_kannel, through_simulator

pytestmark = pytest.mark.timeout(600)

#: Errors with which a worker may end: the store is away, or it was too slow and is superseded.
_EXPECTED = {"StoreUnreachableError", "SupersededError"}


def play(plan: Plan, folder: Path) -> Accounts:
    """Play *plan*; whatever is wrong is told with the seed."""
    accounts = soak(plan, folder)
    told = "\n".join(accounts.lines())
    assert accounts.is_clean, told
    assert not set(accounts.ended_by) - _EXPECTED, told
    # A quick machine may be through before the last ones.
    assert plan.kills // 2 <= sum(accounts.hits.values()), told
    return accounts


#: Of the moments and kinds of the hits; ``make soak`` takes another one each time.
SEED = 20261122


def test_through_kannel_nothing_leaves_twice_and_nothing_is_lost(tmp_path: Path) -> None:
    """Senders, PostgreSQL and bearerbox are hit; receipts end the doubts that Kannel kept."""
    require_program("bearerbox")
    plan = through_kannel(messages=3000, kills=len(ALL), seed=SEED, latency_s=0.08)
    accounts = play(plan, tmp_path)

    assert 0 == accounts.unresolved, accounts.lines()


def test_a_gateway_that_can_be_asked_ends_every_doubt(tmp_path: Path) -> None:
    plan = through_simulator("query", messages=1500, kills=5, seed=SEED, slow_s=0.8, lease_s=1.0)
    accounts = play(plan, tmp_path)

    assert (0, 1500) == (accounts.unknown, accounts.handed_over), accounts.lines()


def test_doubts_about_a_gateway_that_tells_nothing_stay_listed(tmp_path: Path) -> None:
    plan = through_simulator(
        "plain", messages=1500, kills=len(OURS), seed=SEED, slow_s=0.8, lease_s=1.0
    )
    accounts = play(plan, tmp_path)

    assert accounts.unknown == accounts.unseen + accounts.unresolved
