"""Budgets on a real store: what is taken, what is given back, and two at once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from psycopg.types.json import Jsonb

from smsflow_provider.cli.main import main
from smsflow_provider.core.delivery.control import pause, stop
from smsflow_provider.core.delivery.send import close_stopped
from smsflow_provider.core.model import OutcomeKind
from smsflow_provider.core.preparation.budgets import Budgets, charge, read_budgets_text
from smsflow_provider.core.preparation.checks import Level, LogLine
from smsflow_provider.core.preparation.cost import Estimate, estimate
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.store.connection import Store
from smsflow_provider.core.store.deliveries import Delivery, find_delivery
from smsflow_provider.core.store.reservations import (
    Period,
    read_held,
    settle_stopped,
    unsettled_stopped,
)
from tests.core.delivery.receiving import make_sending, settle, take, until_waiting
from tests.prepared_delivery import approve, make_prepared

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TODAY = NOON.date()
TABLE = PriceTable(
    currency="EUR",
    as_of=date(2026, 11, 1),
    prices={
        ("FR", "*"): Decimal("0.05"),
        ("FR", "number"): Decimal("0.04"),
        ("FR", "acme"): Decimal("0.06"),
        ("US", "alphanumeric"): Decimal("0.01"),
    },
)
PARTS = read_budgets_text("default: {per_day: {parts: 1000}, per_month: {parts: 1500}}\n")
MONEY = read_budgets_text("default: {per_day: {money: 50 EUR}}\n")


def of(parts: int, *, region: str = "FR", prices: PriceTable | None = TABLE) -> Estimate:
    """Estimate *parts* parts from a sender without a line of its own."""
    return estimate([(region, "Shop", parts, parts)], prices)


def take_of(
    store: Store,
    delivery_id: str,
    parts: int | Estimate,
    *,
    budgets: Budgets | None = PARTS,
    name: str | None = None,
    now: datetime = NOON,
    count: int = 2,
) -> list[LogLine]:
    """Prepare a delivery and charge it, as the publishing transaction does."""
    delivery = make_prepared(store, count=count, delivery_id=delivery_id)
    with store.transaction() as connection:
        return charge(
            connection,
            delivery,
            budgets,
            name=name,
            estimate=of(parts) if isinstance(parts, int) else parts,
            now=now,
        )


def held(store: Store, on: date = TODAY, period: Period = Period.DAY) -> tuple[int, str]:
    """Tell what ``default`` holds on a day: parts and cost."""
    with store.transaction() as connection:
        found = read_held(connection, "default", period=period, on=on)
    return found.parts, f"{found.cost:f}"


def events(lines: list[LogLine]) -> list[str]:
    """Name the lines."""
    return [line.event for line in lines]


def set_state(store: Store, delivery_id: str, *states: str) -> None:
    """Move a delivery along the table of moves."""
    with store.transaction() as connection:
        for state in states:
            connection.execute(
                "UPDATE smsflow_deliveries SET state = %s WHERE id = %s", (state, delivery_id)
            )


def change_messages(store: Store, delivery: Delivery, change: str) -> None:
    """Change prepared messages by SQL."""
    query = f"{change} AND preparation = %s".encode()
    with store.transaction() as connection:
        connection.execute(query, (delivery.preparation,))


def test_a_reservation_counts_until_the_limit_and_not_beyond(store: Store) -> None:
    assert ["budget_reserved"] == events(take_of(store, "d1", 600))
    assert ["budget_reserved"] == events(take_of(store, "d2", 400))
    (line,) = take_of(store, "d3", 1)

    assert (Level.ERROR, "over_budget") == (line.level, line.event)
    assert {
        "budget": "default",
        "period": "per_day",
        "unit": "parts",
        "limit": "1000",
        "held": "1000",
        "wanted": "1",
    } == line.facts
    assert (
        "over the budget 'default' for this day: 1,000 parts are taken and 1 parts wanted,"
        " of 1,000 parts" == line.problem
    )
    assert (1000, "50.000000") == held(store)


def test_every_broken_limit_is_told(store: Store) -> None:
    assert [("per_day", "1000"), ("per_month", "1500")] == [
        (line.facts["period"], line.facts["limit"]) for line in take_of(store, "d1", 1600)
    ]
    assert (0, "0") == held(store)


def test_days_and_months_begin_in_the_time_zone_of_the_budget(store: Store) -> None:
    budgets = read_budgets_text(
        "default: {time_zone: Europe/Paris, per_day: {parts: 10}, per_month: {parts: 15}}\n"
    )
    late = datetime(2026, 11, 30, 22, 30, tzinfo=UTC)  # 23:30 in Paris
    later = datetime(2026, 11, 30, 23, 30, tzinfo=UTC)  # December in Paris

    assert ["budget_reserved"] == events(take_of(store, "d1", 10, budgets=budgets, now=late))
    assert ["budget_reserved"] == events(take_of(store, "d2", 10, budgets=budgets, now=later))
    assert (10, "0.500000") == held(store, date(2026, 11, 30))
    assert (10, "0.500000") == held(store, date(2026, 12, 1), Period.MONTH)
    assert ["over_budget", "over_budget"] == events(
        take_of(store, "d3", 6, budgets=budgets, now=later)
    )


def test_a_month_ends_on_its_last_day(store: Store) -> None:
    take_of(store, "d1", 10, now=datetime(2028, 2, 29, 12, tzinfo=UTC))
    take_of(store, "d2", 10, now=datetime(2028, 3, 1, 12, tzinfo=UTC))

    assert 10 == held(store, date(2028, 2, 1), Period.MONTH)[0]
    assert 10 == held(store, date(2028, 3, 31), Period.MONTH)[0]
    assert 0 == held(store, date(2028, 4, 30), Period.MONTH)[0]


def test_preparing_again_replaces_what_was_taken(store: Store) -> None:
    take_of(store, "d1", 900)
    assert ["budget_reserved"] == events(take_of(store, "d1", 950))
    assert (950, "47.500000") == held(store)


def test_charging_twice_in_one_preparation_takes_once(store: Store) -> None:
    take_of(store, "d1", 900)
    delivery = find_delivery(store, "d1")
    with store.transaction() as connection:
        lines = charge(connection, delivery, PARTS, estimate=of(800), now=NOON)

    assert ["budget_reserved"] == events(lines)
    assert 800 == held(store)[0]


@pytest.mark.parametrize(
    ("states", "parts"),
    [
        ([], 10),
        (["approved"], 10),
        (["approved", "sending"], 10),
        (["approved", "sending", "paused"], 10),
        (["approved", "sending", "finished"], 10),
        (["approved", "stopped"], 10),
        (["rejected"], 0),
        (["expired"], 0),
        (["approved", "expired"], 0),
        (["preparing"], 0),
        (["preparing", "draft"], 0),
        (["preparing", "preparation_failed"], 0),
    ],
)
def test_what_is_held_follows_from_the_state_alone(
    store: Store, states: list[str], parts: int
) -> None:
    take_of(store, "d1", 10)
    set_state(store, "d1", *states)

    assert parts == held(store)[0]


def test_what_is_rolled_back_was_never_taken(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        assert charge(connection, delivery, PARTS, estimate=of(10), now=NOON)
        connection.rollback()

    assert 0 == held(store)[0]


def test_two_preparations_at_once_never_overrun_together(store: Store) -> None:
    """The second waits until the first is published, and then sees what it took."""
    both = [make_prepared(store, count=1, delivery_id=name) for name in ("d1", "d2")]
    set_state(store, "d1", "preparing")
    set_state(store, "d2", "preparing")
    first_has_it = threading.Event()
    second_waits = threading.Event()

    def publish(delivery: Delivery, before_commit: Callable[[], object]) -> list[LogLine]:
        with store.transaction() as connection:
            lines = charge(connection, delivery, PARTS, estimate=of(700), now=NOON)
            before_commit()
            if lines[0].level is not Level.ERROR:
                connection.execute(
                    "UPDATE smsflow_deliveries SET state = 'ready' WHERE id = %s", (delivery.id,)
                )
        return lines

    def hold() -> None:
        first_has_it.set()
        assert second_waits.wait(30)

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(publish, both[0], hold)
        assert first_has_it.wait(30)
        second = pool.submit(publish, both[1], lambda: None)
        until_waiting(store)
        second_waits.set()
        found = [events(first.result(30)), events(second.result(30))]

    assert [["budget_reserved"], ["over_budget"]] == found
    assert 700 == held(store)[0]


def test_many_at_once_take_no_more_than_there_is(store: Store) -> None:
    deliveries = [make_prepared(store, count=1, delivery_id=f"d{n}") for n in range(12)]

    def publish(delivery: Delivery) -> bool:
        with store.transaction() as connection:
            lines = charge(connection, delivery, PARTS, estimate=of(150), now=NOON)
        return lines[0].level is not Level.ERROR

    with ThreadPoolExecutor(6) as pool:
        taken = sum(pool.map(publish, deliveries))

    assert (6, 900) == (taken, held(store)[0])


def test_two_budgets_do_not_wait_for_each_other(store: Store) -> None:
    budgets = read_budgets_text("a: {per_day: {parts: 5}}\nb: {per_day: {parts: 5}}\n")
    deliveries = [make_prepared(store, count=1, delivery_id=name) for name in ("d1", "d2")]
    with store.transaction() as one, store.transaction() as other:
        for connection, delivery, name in ((one, deliveries[0], "a"), (other, deliveries[1], "b")):
            connection.execute("SET LOCAL lock_timeout = '5s'")
            lines = charge(connection, delivery, budgets, name=name, estimate=of(5), now=NOON)
            assert ["budget_reserved"] == events(lines)


def test_money_is_counted_to_the_last_decimal(store: Store) -> None:
    budgets = read_budgets_text("default: {per_day: {money: 0.10 EUR}}\n")
    assert ["budget_reserved"] == events(take_of(store, "d1", 1, budgets=budgets))
    assert ["budget_reserved"] == events(take_of(store, "d2", 1, budgets=budgets))
    (line,) = take_of(store, "d3", 1, budgets=budgets)

    assert ("0.05", "0.1", "EUR") == (line.facts["wanted"], line.facts["held"], line.facts["unit"])
    assert "0.10 EUR are taken and 0.05 EUR wanted, of 0.10 EUR" in line.problem


def test_a_limit_in_money_needs_every_price(store: Store) -> None:
    (missing,) = take_of(store, "d1", of(5, region="BR"), budgets=MONEY)
    (without,) = take_of(store, "d2", of(5, prices=None), budgets=MONEY)

    assert (Level.ERROR, "budget_needs_prices") == (missing.level, missing.event)
    assert {"budget": "default", "messages": 5, "countries": ["BR"]} == missing.facts
    assert "there is no price table" in without.problem
    assert (0, "0") == held(store)


def test_a_limit_in_parts_needs_no_price(store: Store) -> None:
    assert ["budget_reserved"] == events(take_of(store, "d1", of(5, region="BR")))
    assert (5, "0") == held(store)


def test_parts_of_unknown_cost_are_told_to_a_limit_in_money(store: Store) -> None:
    take_of(store, "d1", of(7, region="BR"))
    unpriced, reserved = take_of(store, "d2", 5, budgets=MONEY)

    assert (Level.WARNING, "budget_unpriced", 7) == (
        unpriced.level,
        unpriced.event,
        unpriced.facts["parts"],
    )
    assert "budget_reserved" == reserved.event


def test_nothing_is_converted_between_currencies(store: Store) -> None:
    dollars = read_budgets_text("default: {per_day: {money: 50 USD}}\n")
    (prices,) = take_of(store, "d1", 5, budgets=dollars)
    take_of(store, "d2", 5)
    in_dollars = PriceTable(currency="USD", as_of=TABLE.as_of, prices=TABLE.prices)
    (holding,) = take_of(store, "d3", of(5, prices=in_dollars), budgets=dollars)

    assert "the budget 'default' is in USD, the prices are in EUR: nothing is converted" == (
        prices.problem
    )
    assert (Level.ERROR, "budget_currency", ["EUR"]) == (
        holding.level,
        holding.event,
        holding.facts["other"],
    )
    assert 5 == held(store)[0]


def test_a_budget_nobody_knows_is_an_error(store: Store) -> None:
    budgets = read_budgets_text("shop: {per_day: {parts: 5}}\n")
    (unknown,) = take_of(store, "d1", 1, budgets=budgets, name="shopp")
    (no_file,) = take_of(store, "d2", 1, budgets=None, name="shop")

    assert "there is no budget 'shopp': did you mean 'shop'?" == unknown.problem
    assert "there is no budget 'shop': there is no budgets.yaml" == no_file.problem
    assert [] == take_of(store, "d3", 1, budgets=budgets)
    assert [] == take_of(store, "d4", 1, budgets=None)


def test_a_dry_run_is_measured_and_takes_nothing(store: Store) -> None:
    delivery = make_prepared(store, count=1, dry_run=True)
    with store.transaction() as connection:
        fits = charge(connection, delivery, PARTS, estimate=of(10), now=NOON)
        over = charge(connection, delivery, PARTS, estimate=of(1001), now=NOON)

    assert (["budget_dry_run"], ["over_budget"]) == (events(fits), events(over))
    assert "10 parts for 0.50 EUR would be taken of the budget 'default'" == fits[0].problem
    assert 0 == held(store)[0]


def test_direct_texts_are_not_charged(store: Store) -> None:
    delivery = make_prepared(store, count=1)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET kind = 'direct'")
    with store.transaction() as connection:
        direct = find_delivery(store, delivery.id)
        assert [] == charge(connection, direct, PARTS, estimate=of(5000), now=NOON)


def charge_mixed(store: Store, delivery: Delivery, prices: PriceTable | None = TABLE) -> Estimate:
    """Give messages 1 to 6 different countries, senders and parts, and charge them."""
    update = "UPDATE smsflow_messages SET"
    for change in (
        "parts = position WHERE position <= 6",
        "sender = '+36111' WHERE position = 2",
        "sender = 'Number' WHERE position = 3",
        "region = 'US' WHERE position = 4",
        "sender = '' WHERE position = 5",
    ):
        change_messages(store, delivery, f"{update} {change}")
    with store.transaction() as connection:
        rows = connection.execute(
            "SELECT region, sender, count(*) AS n, sum(parts) AS parts FROM smsflow_messages"
            " WHERE preparation = %s GROUP BY region, sender",
            (delivery.preparation,),
        ).fetchall()
        counts = [(row["region"], row["sender"], row["n"], int(row["parts"])) for row in rows]
        found = estimate(counts, prices)
        lines = charge(connection, delivery, PARTS, estimate=found, now=NOON)
        assert ["budget_reserved"] == events(lines)
        connection.execute(
            "UPDATE smsflow_deliveries SET figures = figures || %s WHERE no = %s",
            (Jsonb({"cost": found.as_dict()}), delivery.no),
        )
    return found


def kept(store: Store) -> tuple[int | None, Decimal | None]:
    """Read what was kept of the one reservation: parts and cost."""
    with store.transaction() as connection:
        row = connection.execute(
            "SELECT kept_parts, kept_cost FROM smsflow_reservations"
        ).fetchone()
    assert row is not None
    return row["kept_parts"], row["kept_cost"]


def test_a_stop_gives_back_what_was_not_handed_over_at_its_own_price(store: Store) -> None:
    """Accepted and unknown messages may be billed; refused and cancelled ones are not."""
    delivery, ledger = make_sending(store, count=10)
    found = charge_mixed(store, delivery)
    taken = take(ledger, 7)
    settle(ledger, taken[:4], OutcomeKind.ACCEPTED)
    settle(ledger, taken[4:5], OutcomeKind.UNKNOWN)
    settle(ledger, taken[5:6], OutcomeKind.FAILED)
    settle(ledger, taken[6:7], OutcomeKind.NOT_SENT)
    assert (25, f"{found.total:f}") == held(store)
    stop(store, "d1", actor="boss")
    assert (25, f"{found.total:f}") == held(store)
    ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
    ledger.release()

    # parts: 1 of ACME, 2 of a number, 3 of a name like a kind, 4 to the US, 5 of no sender
    cost = Decimal("0.06") + 2 * Decimal("0.04") + 3 * Decimal("0.05")
    cost += 4 * Decimal("0.01") + 5 * Decimal("0.05")
    assert (15, cost) == kept(store)
    assert 15 == held(store)[0]


def test_a_delivery_stopped_before_it_began_gives_everything_back(store: Store) -> None:
    take_of(store, "d1", 100)
    approve(store)
    stop(store, "d1", actor="boss")
    assert 100 == held(store)[0]
    assert close_stopped(store, "d1", actor="boss")

    assert (0, Decimal(0)) == kept(store)
    assert (0, "0.000000") == held(store)


def test_a_stop_that_is_cut_short_counts_whole_until_maintenance(
    store: Store, store_dsn: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The sender dies with two messages on their way; nobody closes the delivery."""
    delivery, ledger = make_sending(store, count=10)
    charge_mixed(store, delivery)
    settle(ledger, take(ledger, 1), OutcomeKind.ACCEPTED)
    take(ledger, 2)
    stop(store, "d1", actor="boss")
    ledger._connection.close()
    with store.transaction() as connection:
        assert not settle_stopped(connection, delivery)
        connection.execute("UPDATE smsflow_leases SET heartbeat_at = now() - interval '1 hour'")

    assert ["d1"] == unsettled_stopped(store)
    assert 25 == held(store)[0]
    assert 0 == main(["maintain", "--store", store_dsn])
    assert "their budgets given back: 1" in capsys.readouterr().out
    assert 6 == held(store)[0]
    assert [] == unsettled_stopped(store)


def test_a_running_delivery_is_never_settled(store: Store) -> None:
    delivery, ledger = make_sending(store, count=3)
    charge_mixed(store, delivery)
    settle(ledger, take(ledger, 3), OutcomeKind.ACCEPTED)
    pause(store, "d1", actor="boss")
    with store.transaction() as connection:
        assert not settle_stopped(connection, delivery)
    ledger.release()

    assert (None, None) == kept(store)


def test_a_cost_nobody_knew_stays_unknown_after_a_stop(store: Store) -> None:
    delivery, ledger = make_sending(store, count=6)
    charge_mixed(store, delivery, prices=None)
    settle(ledger, take(ledger, 2), OutcomeKind.ACCEPTED)
    stop(store, "d1", actor="boss")
    ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
    ledger.release()

    assert (3, None) == kept(store)


def test_without_the_prices_of_its_estimate_a_stopped_delivery_keeps_its_cost(
    store: Store,
) -> None:
    delivery, ledger = make_sending(store, count=6)
    found = charge_mixed(store, delivery)
    with store.transaction() as connection:
        connection.execute("UPDATE smsflow_deliveries SET figures = '{}'")
    settle(ledger, take(ledger, 2), OutcomeKind.ACCEPTED)
    stop(store, "d1", actor="boss")
    ledger.close_rest(OutcomeKind.CANCELLED, "stopped")
    ledger.release()

    assert (3, found.total) == kept(store)
