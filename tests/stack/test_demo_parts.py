"""The demo without its servers: the customers, what it prints, what it refuses."""

from __future__ import annotations

import argparse
import csv
import io
import re
from collections import Counter
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.cli.demo import add_arguments, run
from smsflow_provider.cli.demo.command import find_checkout
from smsflow_provider.cli.demo.crm import (
    LANDS,
    Customer,
    make_customers,
    opted_out,
    write_opt_outs,
)
from smsflow_provider.cli.demo.machines import empty_home, remove_home
from smsflow_provider.cli.demo.screen import Screen
from smsflow_provider.cli.demo.show import (
    check_sums,
    failure_lines,
    progress_line,
    report_lines,
    review_lines,
)
from smsflow_provider.core.errors import ConfigError, SmsflowError
from smsflow_provider.core.model import SETTLED

TODAY = date(2026, 5, 1)
REVIEW: dict[str, Any] = {
    "targeted": 2000,
    "excluded": {"invalid_number": 40, "opted_out": 100},
    "waterfall": [
        {"reason": "invalid_number", "excluded": 40, "left": 1960},
        {"reason": "opted_out", "excluded": 100, "left": 1860},
    ],
    "to_deliver": 1860,
    "parts": 2100,
    "samples": [
        {
            "to_masked": "+33…34",
            "text": "Bonjour Zoé 🌸\nà bientôt",
            "encoding": "ucs2",
            "parts": 1,
        },
        {"to_masked": "+44…56", "text": "Hello", "encoding": "gsm7", "parts": 2},
        {
            "to_masked": "+33…78",
            "text": "A long one",
            "encoding": "gsm7",
            "parts": 3,
            "picks": ["longest", "3 parts"],
        },
    ],
    "log": [
        {"level": "warning", "event": "dear", "problem": "Dearer than usual"},
        {"level": "info", "event": "cost", "problem": "2,100 parts cost 94.50 EUR"},
    ],
    "cost": {
        "total": "94.500000",
        "currency": "EUR",
        "as_of": "2026-11-01",
        "is_complete": False,
        "countries": [
            {"country": "FR", "parts": 2000, "cost": "94.500000"},
            {"country": "BR", "parts": 100, "cost": None},
        ],
    },
    "changes": {
        "is_same": False,
        "figures": {
            "targeted": {"before": 2000, "after": 2000, "difference": 0},
            "to_deliver": {"before": 1900, "after": 1860, "difference": -40},
        },
        "exclusions": {"opted_out": {"before": 60, "after": 100, "difference": 40}},
        "cost": {
            "before": "96.00",
            "after": "94.50",
            "difference": "-1.50",
            "currency": {"before": "EUR", "after": "EUR"},
        },
        "template": [{"part": "body", "diff": ["--- before", "+++ after", "@@", "-Hi", "+Hello"]}],
    },
}
REPORT: dict[str, Any] = {
    "targeted": 10,
    "excluded": {"duplicate": 2},
    "to_deliver": 8,
    "accepted": 6,
    "delivered": 5,
    "undelivered": 1,
    "failed": 1,
    "unknown": 1,
    "cancelled": 0,
    "expired": 0,
    "parts": 9,
}


def _customers(count: int = 2000, seed: int = 1) -> list[Customer]:
    return make_customers(count, random=Random(seed), today=TODAY)


def _number_of(phone: str | None) -> str:
    """Read a phone as the example workflow does: French unless it says otherwise."""
    try:
        number = phonenumbers.parse(phone or "", "FR")
    except phonenumbers.NumberParseException:
        return ""
    plain = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return plain if phonenumbers.is_valid_number(number) else ""


def _wishes(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args(arguments)


class Terminal(io.StringIO):
    """A file that says a person is looking."""

    def isatty(self) -> bool:
        return True


class TestCustomers:
    def test_the_same_seed_makes_the_same_people(self) -> None:
        assert _customers(seed=7) == _customers(seed=7)
        assert _customers(seed=7) != _customers(seed=8)

    def test_there_are_as_many_as_asked_for_each_with_an_id(self) -> None:
        assert list(range(1, 2001)) == [c.customer_id for c in _customers()]

    def test_the_flaws_are_there_in_their_shares(self) -> None:
        phones = [c.phone for c in _customers()]
        missing = [p for p in phones if not (p or "").strip()]
        good = Counter(number for p in phones if (number := _number_of(p)))

        assert 30 == len(missing)
        assert 40 == len(phones) - len(missing) - good.total()
        assert 60 == good.total() - len(good)

    def test_every_country_is_present_with_numbers_of_its_own(self) -> None:
        found: dict[str, set[str]] = {}
        for customer in _customers():
            if number := _number_of(customer.phone):
                parsed = phonenumbers.parse(number)
                region = str(phonenumbers.region_code_for_number(parsed))
                found.setdefault(customer.country, set()).add(region)

        assert set(LANDS) == set(found)
        assert all(country in regions for country, regions in found.items())

    def test_names_carry_accents_and_emoji(self) -> None:
        text = "".join(c.first_name + c.last_name for c in _customers())

        assert "é" in text
        assert "🌸" in text
        assert "'" in text

    def test_nobody_ordered_in_the_future(self) -> None:
        orders = [c.last_order_on for c in _customers()]

        assert TODAY >= max(order for order in orders if order)
        assert None in orders

    def test_people_who_opted_out_are_customers(self) -> None:
        people = _customers()
        numbers = opted_out(people, random=Random(1))

        assert 100 == len(numbers) == len(set(numbers))
        assert set(numbers) <= {c.phone for c in people}
        assert all(_number_of(number) for number in numbers)

    def test_the_opt_out_list_is_a_csv_with_one_column(self, tmp_path: Path) -> None:
        write_opt_outs(tmp_path / "list.csv", ["+33612345678", "+33612345679"])
        with (tmp_path / "list.csv").open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))

        assert [{"phone": "+33612345678"}, {"phone": "+33612345679"}] == rows

    @given(count=st.integers(20, 400), seed=st.integers(0, 1000))
    def test_nobody_has_two_flaws_at_any_size(self, count: int, seed: int) -> None:
        people = _customers(count, seed)
        numbers = Counter(number for c in people if (number := _number_of(c.phone)))

        assert count == len(people)
        assert 2 >= max(numbers.values())


class TestShow:
    def test_the_review_leads_from_the_targeted_to_those_to_deliver(self) -> None:
        shown = "\n".join(review_lines(REVIEW))

        assert re.search(
            r"targeted +2,000\n +invalid_number +40 +leaves +1,960\n"
            r" +opted_out +100 +leaves +1,860\n +to deliver +1,860\n +parts +2,100\n",
            shown,
        )

    def test_the_review_shows_the_cost_and_who_has_no_price(self) -> None:
        shown = "\n".join(review_lines(REVIEW))

        assert re.search(
            r"cost +at least 94.50 EUR, prices of 2026-11-01\n +FR +2,000 parts +94.50 EUR\n"
            r" +BR +100 parts +no price",
            shown,
        )
        assert "cost" not in "\n".join(review_lines({**REVIEW, "cost": None, "changes": None}))

    def test_the_review_says_what_changed_and_not_what_did_not(self) -> None:
        shown = review_lines(REVIEW)
        at = shown.index("  Since the former run:")

        assert [
            "    to deliver: 1,900, now 1,860",
            "    opted out: 60, now 100",
            "    cost: 96.00 EUR, now 94.50 EUR",
            "    text, body:",
            "      -Hi",
            "      +Hello",
            "",
        ] == shown[at + 1 : at + 8]

    def test_warnings_come_first_and_notes_not_at_all(self) -> None:
        shown = review_lines(REVIEW)

        assert "  warning: Dearer than usual" == shown[0]
        assert not any("2,100 parts cost" in line for line in shown)

    def test_a_run_that_is_the_same_is_said_to_be(self) -> None:
        same = {**REVIEW["changes"], "is_same": True}

        assert "  The same as the former run" in review_lines({**REVIEW, "changes": same})

    def test_the_review_shows_samples_and_the_longest_among_them(self) -> None:
        shown = "\n".join(review_lines(REVIEW, samples=2))

        assert "Sample 1 to +33…34 (ucs2, 1 part):\n    Bonjour Zoé 🌸\n    à bientôt" in shown
        assert "Sample 2 to +33…78 (gsm7, 3 parts):\n    A long one" in shown
        assert "Sample 3" not in shown

    def test_the_report_names_every_outcome(self) -> None:
        shown = "\n".join(report_lines(REPORT))

        for name in (*SETTLED, "delivered", "undelivered", "targeted", "to deliver", "parts"):
            assert re.search(rf"^ +{name} +\d+$", shown, re.MULTILINE)

    def test_a_report_that_adds_up_passes(self) -> None:
        check_sums(REPORT)

    @pytest.mark.parametrize("name", ["targeted", "to_deliver", "accepted", "unknown", "expired"])
    def test_a_report_that_does_not_add_up_is_an_error(self, name: str) -> None:
        with pytest.raises(SmsflowError, match="does not add up"):
            check_sums({**REPORT, name: REPORT[name] + 1})

    @given(st.integers(0, 10**5), st.integers(0, 10**5))
    def test_the_progress_line_never_changes_its_length(self, accepted: int, more: int) -> None:
        figures = {**REPORT, "accepted": accepted, "to_deliver": accepted + more + 2}

        assert len(progress_line(REPORT)) <= len(progress_line(figures)) <= 80

    def test_nobody_to_deliver_to_is_a_full_bar(self) -> None:
        nothing = dict.fromkeys(REPORT, 0)

        assert "." not in progress_line(nothing)

    def test_an_error_is_shown_with_one_fact_a_line(self) -> None:
        error = SmsflowError("a part died", log="/x/y.log", tail="one\ntwo", names=["a"])

        wanted = ["Failed: a part died", "  log: /x/y.log", "  tail:", "    one", "    two"]
        assert [*wanted, "  names: a"] == failure_lines(error)


class TestScreen:
    def test_a_step_says_when_it_began(self) -> None:
        clock = iter([0.0, 12.4])
        out = io.StringIO()
        Screen(out, now_s=lambda: next(clock)).step("sending")

        assert "[  12 s] sending\n" == out.getvalue()

    def test_a_terminal_sees_one_line_change(self) -> None:
        out = Terminal()
        screen = Screen(out, now_s=lambda: 0.0)
        screen.change("1")
        screen.change("1")
        screen.change("2")
        screen.lines(["done"])

        assert "\r\x1b[2K1\r\x1b[2K2\ndone\n" == out.getvalue()

    def test_a_file_gets_a_changed_line_every_few_seconds_only(self) -> None:
        now = [0.0]
        out = io.StringIO()
        screen = Screen(out, now_s=lambda: now[0])
        for second in range(5):
            now[0] = float(second)
            screen.change(f"line {second}")

        assert "line 0\nline 2\nline 4\n" == out.getvalue()


class TestHome:
    def test_a_new_home_is_made_and_emptied_again(self, tmp_path: Path) -> None:
        home = tmp_path / "demo"
        empty_home(home)
        (home / "old.log").write_text("of the last run")
        empty_home(home)

        assert [".smsflow-demo"] == [path.name for path in home.iterdir()]

    def test_a_folder_with_other_things_is_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "letter.txt").write_text("mine")
        with pytest.raises(ConfigError, match="holds something else"):
            empty_home(tmp_path)

        assert (tmp_path / "letter.txt").exists()

    def test_a_home_is_removed_wholly(self, tmp_path: Path) -> None:
        home = tmp_path / "demo"
        empty_home(home)
        remove_home(home)
        remove_home(home)

        assert not home.exists()


class TestCommand:
    def test_nothing_need_be_given(self) -> None:
        wishes = _wishes()

        assert ("auto", 8080, None) == (wishes.review, wishes.port, wishes.home)

    def test_remove_deletes_the_home_and_says_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        empty_home(tmp_path / "demo")

        assert 0 == run(_wishes("--remove", "--home", str(tmp_path / "demo")))
        assert ("", "") == capsys.readouterr()
        assert not (tmp_path / "demo").exists()

    def test_a_refusal_goes_to_stderr_with_what_to_do(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "letter.txt").write_text("mine")

        assert 1 == run(_wishes("--remove", "--home", str(tmp_path)))
        assert "do: name an empty or a new folder" in capsys.readouterr().err

    def test_the_checkout_is_where_the_example_workflows_are(self) -> None:
        assert (find_checkout() / "dags").is_dir()

    def test_without_a_checkout_it_says_what_to_do(self, tmp_path: Path) -> None:
        with pytest.raises(ConfigError, match="clone the repository"):
            find_checkout(tmp_path / "smsflow_provider")
