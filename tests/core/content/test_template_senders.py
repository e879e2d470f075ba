"""Senders, opt-out mentions and the names of rules in the settings of a template."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from smsflow_provider.core.content.senders import hint_for_country, problem_of_sender
from smsflow_provider.core.content.template import OptOutPolicy, TemplateSettings, read_template
from smsflow_provider.core.errors import TemplateError


def settings_of(front: str) -> TemplateSettings:
    return read_template(f"---\n{front}\n---\nHi", name="sale").settings


def problems_of(front: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        read_template(f"---\n{front}\n---\nHi", name="sale", source="sale.sms.j2")
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


@pytest.mark.parametrize(
    "sender",
    ["ACME", "Acme Shop 1", "A1", "a", "123", "36111", "+33612345678", "123456789012345", "007"],
)
def test_a_sender_networks_take_has_no_problem(sender: str) -> None:
    assert problem_of_sender(sender) is None


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        (" ACME", "begins or ends with a space"),
        ("ACME ", "begins or ends with a space"),
        ("ACME SHOPPING", "has 13 characters (an alphanumeric sender has at most 11)"),
        ("Café", "has characters a sender cannot have"),
        ("Acme-Shop", "has characters a sender cannot have"),
        ("ACME\n", "has characters a sender cannot have"),
        ("+ACME", "has characters a sender cannot have"),
        ("12", "has no letter and is not a number (a number has 3 to 15 digits)"),
        ("1 2 3", "has no letter and is not a number"),
        ("+12", "has characters a sender cannot have"),
        ("\u0663\u0666\u0661\u0661\u0661", "has characters a sender cannot have"),
        ("1234567890123456", "has 16 characters"),
    ],
)
def test_a_sender_no_network_takes_has_its_reason(sender: str, reason: str) -> None:
    problem = problem_of_sender(sender)

    assert problem is not None
    assert problem.startswith(reason)


@given(st.text(max_size=20))
def test_a_reason_never_quotes_the_sender(sender: str) -> None:
    problem = problem_of_sender(f"Dupont{sender}")

    assert problem is None or "Dupont" not in problem


@given(st.from_regex(r"[A-Za-z0-9 ]{0,5}[A-Za-z][A-Za-z0-9 ]{0,5}", fullmatch=True))
def test_up_to_eleven_letters_digits_and_spaces_with_a_letter_are_fine(sender: str) -> None:
    assert (problem_of_sender(sender) is None) == (sender == sender.strip())


def test_senders_are_chosen_by_country() -> None:
    settings = settings_of("sender: ACME\nsenders: {fr: 36111, DE: ACME DE}")

    assert {"FR": "36111", "DE": "ACME DE"} == settings.senders
    assert ["36111", "ACME DE", "ACME", "ACME", "ACME"] == [
        settings.sender_for(country) for country in ("FR", "DE", "GB", None, "")
    ]


def test_a_sender_can_be_an_expression() -> None:
    settings = settings_of("sender_expression: \"coalesce(shop_sender, 'ACME')\"")

    assert "coalesce(shop_sender, 'ACME')" == settings.sender_expression


def test_a_mention_is_chosen_by_country() -> None:
    settings = settings_of("opt_out_mention: STOP 36111\nopt_out_mentions: {GB: STOP to 60777}")

    assert OptOutPolicy.ADD is settings.opt_out_policy
    assert ["STOP to 60777", "STOP 36111", "STOP 36111"] == [
        settings.mention_for(country) for country in ("GB", "FR", None)
    ]
    assert settings_of("label: x").mention_for("FR") is None


def test_the_names_of_rules_are_read() -> None:
    settings = settings_of(
        "typology: soft\nprogramme: loyalty_2\nbudget: shop.Spring-26\nweight: 0"
    )

    assert ("soft", "loyalty_2", "shop.Spring-26", 0) == (
        settings.typology,
        settings.programme,
        settings.budget,
        settings.weight,
    )
    none = settings_of("")
    assert (None, None, None, 5) == (none.typology, none.programme, none.budget, none.weight)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("senders: {UK: ACME}", "senders.UK: is not an ISO 3166 country code (did you mean 'GB'?)"),
        ("senders: {FRA: AC}", "senders.FRA: is not an ISO 3166 country code (did you mean 'FR'?)"),
        ("senders: {1: AC}", "senders.1: is not an ISO 3166 country code (for example FR)"),
        ("senders: {FR: Café}", "senders.FR: has characters a sender cannot have"),
        ("senders: {FR: ''}", "senders.FR: is empty"),
        ("senders: {FR: }", "senders.FR: should be one text"),
        ("senders: {FR: [A]}", "senders.FR: should be one text"),
        ("senders: ACME", "senders: Input should be a valid dictionary"),
        ("senders: {FR: A1, FR: A2}", "senders.FR: is written twice"),
        ("senders: {FR: A1, fr: A2}", "senders: FR is written twice"),
        ("sender_expression: ' '", "sender_expression: String should have at least 1 character"),
        ("opt_out_mention: ''", "opt_out_mention: is empty"),
        ('opt_out_mention: "a\\tb"', "opt_out_mention: the character U+0009 cannot be sent"),
        (f"opt_out_mention: {'x' * 101}", "opt_out_mention: String should have at most 100"),
        ("opt_out_mentions: {UK: STOP}", "opt_out_mentions.UK: is not an ISO 3166 country code"),
        ("opt_out_mentions: {FR: ''}", "opt_out_mentions.FR: is empty"),
        (
            "opt_out_policy: never",
            "opt_out_policy: 'never' is not a choice (known: add, none, require)",
        ),
        ("typology: ../x", "typology: is not a name (1 to 50 of a-z, 0-9, _ and -)"),
        ("programme: Loyalty", "programme: is not a name"),
        (f"budget: {'x' * 64}", "budget: is not the name of a budget"),
        ("weight: 101", "weight: should be less than or equal to 100, found 101"),
        ("weight: -1", "weight: should be greater than or equal to 0, found -1"),
        ("weight: heavy", "weight: should be a whole number"),
        ("defaults: {a: x, a: y}\nmissing: default", "defaults.a: is written twice"),
        ("default_language: _", "default_language: is not a language code"),
    ],
)
def test_a_bad_setting_is_told_with_its_line(line: str, problem: str) -> None:
    found = problems_of(f"label: x\n{line}")

    assert any(one.startswith(f"sale.sms.j2:3: {problem}") for one in found)


def test_the_problems_of_a_mapping_are_all_told_each_with_its_own_line() -> None:
    found = problems_of("senders:\n  UK: ACME\n  FR: Café\n  DE: 12\n  ES: FINE\nweight: x")

    assert [
        "sale.sms.j2:3: senders.UK",
        "sale.sms.j2:4: senders.FR",
        "sale.sms.j2:5: senders.DE",
        "sale.sms.j2:7: weight",
    ] == [": ".join(one.split(": ")[:2]) for one in found]


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("class: transactional\nopt_out_mention: STOP", "3: opt_out_mention: has no effect (only"),
        (
            "opt_out_policy: none\nopt_out_mentions: {FR: STOP}",
            "3: opt_out_mentions: has no effect (opt_out_policy: add)",
        ),
        ("opt_out_policy: require\nopt_out_mention: STOP", "3: opt_out_mention: has no effect"),
    ],
)
def test_a_mention_that_would_never_be_added_is_refused(front: str, problem: str) -> None:
    [found] = problems_of(front)

    assert found.startswith(f"sale.sms.j2:{problem}")


def test_settings_that_do_not_go_together_are_told_with_the_wrong_ones() -> None:
    front = (
        "weight: x\nclass: transactional\nopt_out_mention: STOP\nlanguage: lang\nmissing: default"
    )

    assert ["2: weight", "4: opt_out_mention", "5: language", "6: defaults"] == [
        ":".join(one.split(":")[1:3]) for one in problems_of(front)
    ]


def test_a_wrong_setting_hides_no_other_and_makes_none_up() -> None:
    assert ["sale.sms.j2:2: missing"] == [
        ": ".join(one.split(": ")[:2]) for one in problems_of("missing: skip\ndefaults: {a: b}")
    ][:1]
    assert not any("no effect" in one for one in problems_of("class: spam\nopt_out_mention: STOP"))


def test_code_is_told_of_all_that_does_not_go_together() -> None:
    with pytest.raises(ValidationError, match=r"defaults: .*; language: needs default_language"):
        TemplateSettings.model_validate({"missing": "default", "language": "lang"})


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        *(("FR", None), ("GB", None), ("XK", None)),
        *(("UK", "did you mean 'GB'?"), ("USA", "did you mean 'US'?")),
        *(("DEU", "did you mean 'DE'?"), ("", "for example FR"), ("FRANCE", "for example FR")),
    ],
)
def test_a_country_is_an_iso_code(code: str, hint: str | None) -> None:
    assert hint == hint_for_country(code)
