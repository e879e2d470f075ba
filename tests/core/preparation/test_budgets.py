"""The file of budgets: what it may say, and every problem at once."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.budgets import read_budgets, read_budgets_text
from smsflow_provider.core.store.reservations import Period

TEXT = """\
default:
  time_zone: Europe/Paris
  per_delivery: {parts: 1000}
  per_day: {money: 50.5 EUR, parts: 2000}
shop.winter:
  per_month:
    money: 500 EUR
"""


def problems_of(text: str) -> list[str]:
    """Read budgets that cannot be used, and list what is wrong with them."""
    with pytest.raises(ConfigError) as caught:
        read_budgets_text(text)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


def test_a_budget_limits_deliveries_days_and_months() -> None:
    budgets = read_budgets_text(TEXT)
    budget = budgets.by_name["default"]

    assert ("EUR", "Europe/Paris") == (budget.currency, budget.time_zone)
    assert [(Period.DELIVERY, 1000, None), (Period.DAY, 2000, Decimal("50.5"))] == [
        (one.period, one.parts, one.cost) for one in budget.limits
    ]
    assert "UTC" == budgets.by_name["shop.winter"].time_zone


def test_a_delivery_that_names_no_budget_charges_the_default() -> None:
    budgets = read_budgets_text(TEXT)
    others = read_budgets_text("a:\n  per_day: {parts: 1}\n")

    assert budgets.by_name["default"] == budgets.find("")
    assert budgets.by_name["shop.winter"] == budgets.find("shop.winter")
    assert budgets.find("shop") is None
    assert others.find("") is None


def test_all_problems_of_the_file_are_told_at_once() -> None:
    assert [
        (
            "budgets.yaml:1: default.weekly: unknown key"
            " (known: per_day, per_delivery, per_month, time_zone)"
        ),
        "budgets.yaml:2: a.per_dya: unknown key (did you mean 'per_day'?)",
        (
            "budgets.yaml:3: b.time_zone: 'Europe/Pariss' is not a time zone"
            " (did you mean 'Europe/Paris'?)"
        ),
        "budgets.yaml:4: c: limits nothing (per_month: {money: 500 EUR})",
        "budgets.yaml:5: d.per_day: is not a limit ({money: 500 EUR, parts: 10000})",
        "budgets.yaml:6: e.per_day.parts: '1e3' is not a number of parts (such as 10000)",
        "budgets.yaml:7: f.per_day.money: '500' is not an amount of money (500 EUR)",
        (
            "budgets.yaml:8: g.per_month.money: is in USD, another limit of 'g' in EUR"
            " (one currency a budget)"
        ),
        "budgets.yaml:9: 1x: cannot be a name (a letter, then letters, digits, . _ -)",
        "budgets.yaml:10: f: is written twice",
        "budgets.yaml:11: h.per_day.money: '5,0' is not an amount (write a decimal point: 5.0)",
        "budgets.yaml:12: i.per_day.part: unknown key (did you mean 'parts'?)",
    ] == problems_of(
        "default: {weekly: {parts: 1}}\n"
        "a: {per_dya: {parts: 1}}\n"
        "b: {time_zone: Europe/Pariss, per_day: {parts: 1}}\n"
        "c: {time_zone: UTC}\n"
        "d: {per_day: 500}\n"
        "e: {per_day: {parts: 1e3}}\n"
        "f: {per_day: {money: 500}}\n"
        "g: {per_day: {money: 1 EUR}, per_month: {money: 1 USD}}\n"
        "1x: {per_day: {parts: 1}}\n"
        "f: {per_day: {parts: 1}}\n"
        'h: {per_day: {money: "5,0 EUR"}}\n'
        "i: {per_day: {part: 1}}\n"
    )


@pytest.mark.parametrize("text", ["default:\n", "default: 3\n", "- a\n", "a: [\n"])
def test_what_is_no_budget_is_refused(text: str) -> None:
    assert problems_of(text)


def test_an_empty_file_limits_nothing() -> None:
    assert read_budgets_text("# later\n").find("") is None


def test_a_folder_holds_one_file_of_budgets_or_none(tmp_path: Path) -> None:
    assert read_budgets(tmp_path) is None
    (tmp_path / "budgets.yaml").write_text(TEXT, encoding="utf-8")
    assert read_budgets(tmp_path) == read_budgets_text(TEXT)
    (tmp_path / "budgets.yml").write_text(TEXT, encoding="utf-8")
    with pytest.raises(ConfigError, match="two files"):
        read_budgets(tmp_path)


def test_the_budgets_of_the_examples_can_be_used(repository: Path) -> None:
    budgets = read_budgets(repository / "dags" / "rules")

    assert budgets is not None
    assert budgets.find("") is not None
