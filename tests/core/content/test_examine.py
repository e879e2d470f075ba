"""What an author is told about a template before it meets an audience."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from smsflow_provider.core.content.examine import Check, Finding, Severity, examine
from smsflow_provider.core.content.static_text import written_in
from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.content.trial import MOST_COMBINATIONS, Known, try_out

PLAIN = {"class": "transactional"}


def make(body: str, *, blocks: Any = None, **settings: object) -> Template:
    """A transactional template, so that nobody misses an opt-out mention; the text is line 4."""
    lines = [f"{key}: {value}" for key, value in (PLAIN | settings).items()]
    text = "\n".join(["---", *lines, "---", body])
    return read_template(text, name="made", blocks=blocks)


def told(template: Template, check: Check, **known: Any) -> list[Finding]:
    return [one for one in examine(template, Known(**known)) if one.check is check]


def test_a_sound_template_has_no_findings() -> None:
    assert [] == examine(make("Hello {{ name }}, see you at 5€"), Known(lengths={"name": 40}))


# Fields.


def test_a_field_no_column_fills_is_a_problem_with_the_near_name() -> None:
    template = make("Hi {{ name }}{% if city %} of {{ city }}{% endif %}")
    found = told(template, Check.UNKNOWN_FIELD, columns=frozenset({"nmae", "ctiy"}))

    assert [
        (Severity.PROBLEM, "did you mean 'nmae'?"),
        (Severity.ADVICE, "did you mean 'ctiy'?"),
    ] == [(one.severity, one.hint) for one in found]
    assert "no column 'name'" in found[0].text
    assert "does without it" in found[1].text


def test_the_column_of_the_language_is_asked_for_as_well() -> None:
    template = make("Hi\n--- fr\nSalut", language="lang", default_language="en")
    (found,) = told(template, Check.UNKNOWN_FIELD, columns=frozenset({"phone"}))

    assert ("language", Severity.PROBLEM) == (found.field, found.severity)


def test_without_an_audience_no_field_is_unknown() -> None:
    assert [] == told(make("Hi {{ name }}"), Check.UNKNOWN_FIELD)


# Length.


def test_a_text_that_can_be_too_long_is_a_problem() -> None:
    template = make("Hi {{ name }}", max_parts=1)

    assert [] == told(template, Check.TOO_LONG, lengths={"name": 157})
    (found,) = told(template, Check.TOO_LONG, lengths={"name": 158})
    assert "can have 2 parts (161 units of gsm7) where max_parts is 1" == found.text[9:]
    assert (Severity.PROBLEM, "body", 5) == (found.severity, found.field, found.line)


def test_the_longest_text_takes_the_longest_way() -> None:
    """All ways through the text are tried, with the values of the audience."""
    template = make(
        "{% if tier == 'gold' %}"
        + "a" * 161
        + "{% elif points > 100 %}"
        + "b" * 170
        + "{% else %}c{% endif %}{% if city %}{{ city }}{% else %}no town{% endif %}",
        max_parts=1,
    )

    assert "177" in told(template, Check.TOO_LONG)[0].text
    poor = {"points": (7, 9), "tier": ("tin",), "city": ("Rome",)}
    complete = frozenset({"points", "tier", "city"})
    assert [] == told(template, Check.TOO_LONG, values=poor, complete=complete)
    rich = poor | {"points": (7, 101)}
    assert 177 == try_out(template, "", Known(values=rich, complete=complete)).longest.units  # type: ignore[union-attr]


def test_a_value_that_is_not_gsm_counts_by_what_it_makes_of_the_text() -> None:
    template = make("Hi {{ name }}" + "x" * 100, max_parts=1)

    assert [] == told(template, Check.TOO_LONG, values={"name": ("Maximiliano",)})
    (found,) = told(template, Check.TOO_LONG, values={"name": ("Maximiliano", "Zoê")})
    assert "transliteration: full makes the text 1 part instead of 2" == found.hint
    assert "Zo" not in found.text + found.hint
    assert [] == told(
        make("Hi {{ name }}" + "x" * 100, max_parts=1, transliteration="full"),
        Check.TOO_LONG,
        values={"name": ("Maximiliano", "Zoê")},
    )


def test_the_mention_that_is_added_counts() -> None:
    settings = {"class": "marketing", "max_parts": 1, "opt_out_mentions": "{FR: STOP au 36111}"}
    template = make("x" * 150, **settings)

    assert "2 parts" in told(template, Check.TOO_LONG)[0].text


def test_a_text_beyond_all_limits_is_too_long() -> None:
    template = make("ê{% for one in items %}{{ one }}{% endfor %}", max_parts=10)
    found = examine(template, Known(values={"items": (["x" * 700] * 30,)}))

    assert {Check.NO_TEXT, Check.NOT_GSM} == {one.check for one in found}
    assert "longer than 4000 characters" in found[-1].text


def test_fields_of_every_kind_get_a_value_that_fits() -> None:
    template = make(
        "{{ day | date }} {{ sum | money }} {{ count + 1 }} {{ name | title }}"
        "{% for one in items %}{{ one }}{% endfor %}{% if age >= 18 %}{{ age }}{% endif %}"
    )
    lengths = {"day": 10, "sum": 9, "count": 3, "name": 20, "items": 5, "age": 2}
    trial = try_out(template, "", Known(lengths=lengths))

    assert () == trial.reasons
    assert () == trial.unknown
    assert trial.longest is not None
    assert trial.longest.rendered.startswith("28/12/2026 ")


def test_values_that_do_not_fit_are_told_by_line_and_not_by_value() -> None:
    (found,) = told(make("{{ day | date }}"), Check.NO_TEXT, values={"day": ("my secret",)})

    assert "with some values there is no text: line 4" in found.text
    assert "secret" not in found.text


def test_many_fields_do_not_take_for_ever() -> None:
    names = [f"f{number}" for number in range(20)]
    body = " ".join(f"{{{{ {name} }}}}" for name in names)
    values = {name: tuple("x" * length for length in range(1, 7)) for name in names}
    trial = try_out(make(body), "", Known(values=values))

    assert trial.longest is not None
    assert len(trial.texts) <= MOST_COMBINATIONS
    assert 20 * 6 + 19 >= trial.longest.units >= 20 + 19


# Characters.


def test_a_character_outside_gsm_is_told_with_its_place_and_what_would_stand_for_it() -> None:
    found = told(make("Fête…\nfête{# ê #} {{ name }}"), Check.NOT_GSM)

    assert [
        "'ê' (U+00EA) at 4:2, 5:2 is not GSM-7: a part holds 70 units instead of 160",
        "'…' (U+2026) at 4:5 is not GSM-7: a part holds 70 units instead of 160",
    ] == [one.text for one in found]
    assert "transliteration: full writes 'e'; it saves no part here" == found[0].hint
    assert "transliteration: punctuation writes '...'; it saves no part here" == found[1].hint
    assert {Severity.ADVICE} == {one.severity for one in found}


def test_the_saving_is_counted() -> None:
    hints = [one.hint for one in told(make("“" + "x" * 100 + "🎉"), Check.NOT_GSM)]

    assert [
        "transliteration: punctuation writes '\"'; full makes the text 1 part instead of 2",
        "transliteration: full drops it; full makes the text 1 part instead of 2",
    ] == hints


def test_what_the_template_replaces_already_is_not_told() -> None:
    assert 2 == len(told(make("ê…"), Check.NOT_GSM))
    assert 1 == len(told(make("ê…", transliteration="punctuation"), Check.NOT_GSM))
    assert [] == told(make("ê…", transliteration="full"), Check.NOT_GSM)


def test_a_word_that_is_only_compared_with_is_not_told() -> None:
    template = make("{% if city == 'Gênes' %}yes{% else %}no {{ 'ô' }}{% endif %}")

    assert ["'ô'"] == [one.text.split()[0] for one in told(template, Check.NOT_GSM)]


def test_an_invisible_character_is_told_by_its_code() -> None:
    (found,) = told(make("12\u00a0500"), Check.NOT_GSM)

    assert found.text.startswith("U+00A0 at 4:3")


def test_characters_of_blocks_and_languages_are_told_where_they_stand() -> None:
    template = make(
        "Hi {% include 'end' %}\n--- fr\nÀ demain",
        blocks={"end": "\nbye…"},
        language="lang",
        default_language="en",
    )
    found = told(template, Check.NOT_GSM)

    assert [("body.en", "end", 2), ("body.fr", "", 8)] == [
        (one.field, one.block, one.line) for one in found
    ]
    assert "at 2:4" in found[0].text
    assert "at 8:1" in found[1].text


def test_values_outside_gsm_are_told_where_they_cost_a_part() -> None:
    template = make("{{ name }}" + "x" * 100)

    (found,) = told(template, Check.NOT_GSM, values={"name": ("Zoê",)})
    assert "the longest text has 2 parts" in found.text
    assert [] == told(make("{{ name }}"), Check.NOT_GSM, values={"name": ("Zoê",)})


# Opt-out.


@pytest.mark.parametrize(
    ("body", "settings", "expected"),
    [
        ("Sale!", {}, 1),
        ("Sale! STOP 36111", {}, 0),
        ("Sale!", {"opt_out_mention": "STOP 36111"}, 0),
        ("Sale!", {"opt_out_policy": "require"}, 1),
        ("Sale!", {"opt_out_policy": "none"}, 0),
        ("Sale!", {"class": "transactional"}, 0),
        ("Sale!", {"opt_out_mentions": "{FR: STOP 36111, DE: Abmelden}"}, 1),
        ("{% if vip %}Sale!{% else %}STOP 36111{% endif %}", {}, 1),
        ("{{ text }}", {}, 1),
    ],
)
def test_a_marketing_text_says_how_to_opt_out(
    body: str, settings: dict[str, str], expected: int
) -> None:
    found = told(make(body, **({"class": "marketing"} | settings)), Check.NO_OPT_OUT_MENTION)

    assert expected == len(found)
    assert all(one.severity is Severity.ADVICE for one in found)
    if "opt_out_mentions" in settings:
        assert found[0].text.endswith("but for numbers of DE, FR")


# Links.


def test_a_link_that_costs_a_part_is_told_with_the_room_there_is() -> None:
    link = "https://acme.example/s?utm_source=sms"
    template = make("x" * 140 + "\n" + link + ".", max_parts=2)
    (found,) = told(template, Check.URL_ADDS_PART)

    assert "a link of 37 characters makes it 2 parts; without it the text has 1 part" == found.text
    assert "a link of at most 18 characters would cost no part" == found.hint
    assert 6 == found.line


def test_a_link_that_costs_none_is_not_told() -> None:
    assert [] == told(make("Look: https://acme.example/s"), Check.URL_ADDS_PART)
    assert [] == told(make("x" * 400 + " https://a.example"), Check.URL_ADDS_PART)


def test_a_link_of_a_field_is_not_quoted() -> None:
    secret = "https://acme.example/" + "s3cret" * 5
    template = make("x" * 140 + " {{ link }}")
    found = examine(template, Known(values={"link": (secret,)}))

    assert [Check.URL_ADDS_PART] == [one.check for one in found]
    assert "s3cret" not in repr(found)
    assert "s3cret" not in repr(Known(values={"link": (secret,)}))


# Places.


def test_what_the_author_wrote_is_found_between_all_kinds_of_tags() -> None:
    body = "a  {%- if x -%}\n  b'{{ \"c\" | default('d') }}{# e #}{% raw %}{{ f }}{% endraw %}\ng"
    found = [(one.text, one.line, one.column) for one in written_in(body, first_line=7)]

    assert [
        ("a", 7, 1),
        ("b'", 8, 3),
        ('"c"', 8, 8),
        ("'d'", 8, 22),
        ("{{ f }}", 8, 45),
        ("\ng", 8, 64),
    ] == found


@pytest.mark.parametrize(("offset", "place"), [(0, (3, 5)), (1, (3, 6)), (3, (4, 1)), (5, (5, 1))])
def test_a_place_within_what_was_written(offset: int, place: tuple[int, int]) -> None:
    (written,) = written_in("    ab\nc\nd".lstrip(), first_line=3)
    moved = type(written)(text=written.text, line=3, column=5)

    assert place == moved.place_of(offset)


def test_dates_of_an_audience_are_written_as_dates() -> None:
    trial = try_out(make("{{ day | date }}"), "", Known(values={"day": (date(2026, 3, 1),)}))

    assert ("01/03/2026",) == tuple(one.text for one in trial.texts)
