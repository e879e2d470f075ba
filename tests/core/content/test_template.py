"""Delivery templates: settings, all problems at once with their lines, files, snapshots."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from smsflow_provider.core.content.settings import SETTING_NAMES
from smsflow_provider.core.content.template import (
    MissingPolicy,
    OptOutPolicy,
    Template,
    TemplateSettings,
    find_template,
    load_template,
    read_template,
)
from smsflow_provider.core.content.transliteration import Transliteration
from smsflow_provider.core.errors import TemplateError
from smsflow_provider.core.model import MessageClass

LETTERS = "letters without accents, digits, spaces"
FULL = """---
# Everything a template can say.
label: Spring sale
sender: ACME Shop
class: transactional
gateway: sms_kannel
transliteration: punctuation
max_parts: 2
validity: 90m
missing: default
defaults: {first_name: "you", city: ""}
region: fr
---
Hi {{ first_name }} in {{ city }},
see you soon.
"""


def make_template(front: str = "", body: str = "Hi {{ name }}") -> Template:
    return read_template(f"---\n{front}\n---\n{body}", name="sale")


def problems_of(text: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        read_template(text, name="sale", source="sale.sms.j2")
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


def test_every_setting_is_read() -> None:
    template = read_template(FULL, name="spring")

    assert "spring" == template.name
    assert "Hi {{ first_name }} in {{ city }},\nsee you soon." == template.body
    assert ("city", "first_name") == template.fields == template.required
    assert 14 == template.body_line
    assert template.settings == TemplateSettings(
        label="Spring sale",
        sender="ACME Shop",
        message_class=MessageClass.TRANSACTIONAL,
        gateway="sms_kannel",
        transliteration=Transliteration.PUNCTUATION,
        max_parts=2,
        validity_s=5400,
        missing=MissingPolicy.DEFAULT,
        defaults={"first_name": "you", "city": ""},
        region="FR",
    )


def test_every_setting_has_a_safe_default() -> None:
    settings = make_template().settings

    assert ("", "", None, None) == (
        settings.label,
        settings.sender,
        settings.gateway,
        settings.region,
    )
    assert MessageClass.MARKETING is settings.message_class
    assert Transliteration.NONE is settings.transliteration
    assert (5, 86_400) == (settings.max_parts, settings.validity_s)
    assert MissingPolicy.FAIL is settings.missing
    assert {} == settings.defaults


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("Hi\n", "Hi"),
        ("Hi\n\n", "Hi\n"),
        ("Hi", "Hi"),
        (" Hi \n", " Hi "),
        ("a\r\nb\rc\r\n", "a\nb\nc"),
        ("---\nHi", "---\nHi"),
    ],
)
def test_only_one_newline_at_the_end_is_dropped(body: str, kept: str) -> None:
    assert kept == read_template(f"---\n---\n{body}", name="x").body


@pytest.mark.parametrize(
    "sender", ["ACME", "Acme Shop 1", "A1", "36111", "+33612345678", "123456789012345", "007"]
)
def test_a_sender_is_kept_as_it_is_written(sender: str) -> None:
    assert sender == make_template(f"sender: {sender}").settings.sender


@pytest.mark.parametrize(
    ("sender", "reason"),
    [
        ("ACME SHOPPING", "has 13 characters (an alphanumeric sender has at most 11)"),
        ("Café", "has characters a sender cannot have"),
        ("Acme-Shop", "has characters a sender cannot have"),
        ("12", "has no letter and is not a number (a number has 3 to 15 digits)"),
        ("1234567890123456", "has 16 characters"),
        ("1 2 3", "has no letter and is not a number"),
        ("'+'", "has characters a sender cannot have"),
    ],
)
def test_a_sender_no_network_takes_is_refused_with_the_reason(sender: str, reason: str) -> None:
    [problem] = problems_of(f"---\nsender: {sender}\n---\nHi")

    assert problem.startswith(f"sale.sms.j2:2: sender: {reason}")


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("60", 60),
        ("1m", 60),
        ("60s", 60),
        ("90m", 5400),
        ("24h", 86_400),
        ("24 h", 86_400),
        ("2d", 172_800),
        ("7d", 604_800),
    ],
)
def test_a_validity_is_read_in_every_unit(written: str, seconds: int) -> None:
    assert seconds == make_template(f"validity: {written}").settings.validity_s


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("validity: 59s", "validity: must be 1 minute to 7 days"),
        ("validity: 8d", "validity: must be 1 minute to 7 days"),
        ("validity: tomorrow", "validity: is not a duration"),
        ("validity: -5m", "validity: is not a duration"),
        ("validity: [1, 2]", "validity: should be a whole number"),
        ("max_parts: 0", "max_parts: should be greater than or equal to 1, found 0"),
        ("max_parts: 11", "max_parts: should be less than or equal to 10, found 11"),
        ("max_parts: many", "max_parts: should be a whole number"),
        ("class: spam", "class: 'spam' is not a choice (known: marketing, transactional)"),
        ("class: marketing_", "class: 'marketing_' is not a choice (did you mean 'marketing'?)"),
        (
            "transliteration: yes",
            "transliteration: 'yes' is not a choice (known: full, none, punctuation)",
        ),
        ("missing: skip", "missing: 'skip' is not a choice (known: default, exclude, fail)"),
        ("missing: default", "defaults: missing: default needs defaults"),
        ("defaults: {name: you}", "defaults: defaults have no effect (add missing: default)"),
        ("region: UK", "region: is not an ISO 3166 country code (did you mean 'GB'?)"),
        ("region: France", "region: is not an ISO 3166 country code"),
        ("gateway: a b", "gateway: is not the id of a connection"),
        ("sendr: ACME", "sendr: unknown setting (did you mean 'sender'?)"),
        ("message_class: marketing", "message_class: unknown setting"),
        ("? [a]\n: b", "?: unknown setting"),
    ],
)
def test_a_bad_setting_is_told_with_its_line(line: str, problem: str) -> None:
    [found] = problems_of(f"---\nlabel: x\n{line}\n---\nHi {{{{ name }}}}")

    assert found.startswith(f"sale.sms.j2:3: {problem}")


def test_all_problems_are_told_at_once_in_the_order_of_their_lines() -> None:
    text = "---\nsendr: A\nmax_parts: 99\nmax_parts: 2\nsender: Café\n---\n\nHi {{ a.upper() }}\n"
    found = problems_of(f"{text}{{{{ b|capitalise }}}}\t")

    assert [
        "sale.sms.j2:2: sendr: unknown setting (did you mean 'sender'?)",
        "sale.sms.j2:3: max_parts: should be less than or equal to 10, found 99",
        "sale.sms.j2:4: max_parts: is written twice",
        f"sale.sms.j2:5: sender: has characters a sender cannot have ({LETTERS})",
        "sale.sms.j2:8: body: a call is not allowed (use a filter: {{ name | upper }})",
        "sale.sms.j2:9: body: unknown filter 'capitalise' (did you mean 'capitalize'?)",
        "sale.sms.j2:9: body: the character U+0009 cannot be sent",
    ] == found


def test_the_error_counts_the_problems_and_names_the_template() -> None:
    with pytest.raises(TemplateError, match="2 problems in the template") as caught:
        read_template("---\nmax_parts: 0\nregion: xx\n---\nHi", name="sale")

    assert "sale" == caught.value.facts["template"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("Hi {{ name }}", "sale.sms.j2:1: the first line is not '---' (settings stand first)"),
        ("", "sale.sms.j2:1: the first line is not '---' (settings stand first)"),
        ("---\nlabel: x\nHi", "sale.sms.j2:3: no second line '---' ends the settings"),
        ("---\n- a\n---\nHi", "sale.sms.j2:2: the front matter is not made of 'key: value' lines"),
        ("---\nlabel: [\n---\nHi", "sale.sms.j2:2: the front matter is not YAML"),
        ("---\nlabel: a: b\n---\nHi", "sale.sms.j2:2: the front matter is not YAML"),
        ("---\nlabel: \x00\n---\nHi", "sale.sms.j2: the front matter is not YAML"),
        ("---\n---\n", "sale.sms.j2:3: body: the text is empty"),
        ("---\n---\n \n ", "sale.sms.j2:3: body: the text is empty"),
    ],
)
def test_a_file_without_its_two_halves_is_refused(text: str, problem: str) -> None:
    [found] = problems_of(text)

    assert found.startswith(problem)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ("{{ name", "unexpected end of template"),
        ("{% if a %}x", "Unexpected end of template"),
        ("{% frobnicate %}", "Encountered unknown tag 'frobnicate'"),
        ("{{ range(9) }}", "a call is not allowed"),
        ("{{ name.upper() }}", "a call is not allowed"),
        ("{{ name.__class__ }}", "a name that begins with _ is not allowed"),
        ("{{ _secret }}", "'_secret' cannot be the name of a field"),
        ("{{ self }}", "'self' cannot be the name of a field"),
        ("{{ name ** 9 }}", "** is not allowed"),
        ("{{ name|safe }}", "unknown filter 'safe'"),
        ("{{ name|random }}", "unknown filter 'random'"),
        ("{{ name is funny }}", "unknown test 'funny'"),
        ("{% extends 'x' %}", "extends is not allowed"),
        ("{% include 'x' %}", "no such block 'x' (the folder holds none)"),
        ("{% import 'x' as y %}", "import is not allowed"),
        ("{% from 'x' import y %}", "import is not allowed"),
        ("{% macro m() %}{% endmacro %}", "a macro is not allowed"),
        ("{% block b %}{% endblock %}", "a block is not allowed"),
        ("{% autoescape true %}x{% endautoescape %}", "autoescape is not allowed"),
        ("{% for a in x recursive %}{% endfor %}", "a recursive loop is not allowed"),
        (
            "{% for a in x %}{% for b in x %}{% endfor %}{% endfor %}",
            "a loop within a loop is not allowed",
        ),
        ("{{ 'x' if name }}", "an inline if needs its else"),
        ("{{ loop.index }}", "'loop' is known within a for only"),
        ("{% set a = a|title %}{{ a }}", "'a' is read before it is set (use two names)"),
        ("x\x1ey", "the character U+001E cannot be sent"),
        ("tab\there", "the character U+0009 cannot be sent"),
    ],
)
def test_a_text_that_cannot_be_rendered_for_everybody_is_refused(body: str, problem: str) -> None:
    found = problems_of(f"---\n---\n{body}")

    assert any(f"body: {problem}" in one for one in found)


def test_a_default_for_a_field_the_text_does_not_use_is_refused() -> None:
    front = "missing: default\ndefaults: {nmae: you}"
    [found] = problems_of(f"---\n{front}\n---\nHi {{{{ name }}}}")

    assert "sale.sms.j2: defaults.nmae: the text has no such field (did you mean 'name'?)" == found


def test_a_problem_never_quotes_the_text() -> None:
    with pytest.raises(TemplateError) as caught:
        read_template("---\n---\nSecret words {{ a.b() }}", name="x")

    assert "Secret" not in str(caught.value)


@pytest.mark.parametrize("front", ["", "gateway:", "gateway: ~", "label: null"])
def test_a_key_without_a_value_counts_as_not_written(front: str) -> None:
    assert TemplateSettings() == make_template(front).settings


def test_settings_refuse_what_they_do_not_know_from_code_as_well() -> None:
    with pytest.raises(ValidationError, match="sendr"):
        TemplateSettings.model_validate({"sendr": "ACME"})
    with pytest.raises(ValidationError, match="frozen"):
        TemplateSettings().label = "x"  # type: ignore[misc]  # what mypy says, too


def test_the_names_of_the_settings_are_those_of_the_file() -> None:
    assert set(SETTING_NAMES) == {
        *("label", "sender", "class", "gateway", "transliteration", "max_parts", "validity"),
        *("sending", "missing", "defaults", "region", "senders", "sender_expression"),
        *("language", "default_language", "opt_out_mention", "opt_out_mentions"),
        *("opt_out_policy", "typology", "programme", "weight", "budget"),
    }


def test_a_snapshot_is_json_and_comes_back_equal() -> None:
    template = read_template(FULL, name="spring", source="somewhere")
    stored = json.loads(json.dumps(template.as_dict()))

    assert {"name", "settings", "body", "variants", "blocks"} == set(stored)
    assert "transactional" == stored["settings"]["class"]
    assert 5400 == stored["settings"]["validity"]
    assert template == Template.from_dict(stored)
    assert "" == Template.from_dict(stored).source


SETTINGS = st.builds(
    TemplateSettings,
    label=st.text(max_size=20),
    sender=st.sampled_from(["", "ACME", "+33612345678"]),
    message_class=st.sampled_from(MessageClass),
    gateway=st.sampled_from([None, "sms_kannel"]),
    transliteration=st.sampled_from(Transliteration),
    max_parts=st.integers(1, 10),
    validity_s=st.integers(60, 604_800),
    missing=st.sampled_from([MissingPolicy.FAIL, MissingPolicy.EXCLUDE]),
    region=st.sampled_from([None, "FR", "us"]),
    senders=st.sampled_from([{}, {"FR": "36111", "de": "ACME DE"}]),
    sender_expression=st.sampled_from([None, "coalesce(shop_sender, 'ACME')"]),
    opt_out_policy=st.sampled_from(OptOutPolicy),
    typology=st.sampled_from([None, "soft"]),
    programme=st.sampled_from([None, "loyalty_2"]),
    weight=st.integers(0, 100),
    budget=st.sampled_from([None, "spring-26"]),
)


@settings(deadline=None)
@given(SETTINGS, st.text(st.sampled_from("ab {}é€\n😀"), min_size=1, max_size=40))
def test_every_snapshot_comes_back_equal(settings: TemplateSettings, text: str) -> None:
    given_ = {
        "name": "x",
        "settings": settings.model_dump(mode="json", by_alias=True),
        "body": f"Hi {text.replace('{', '(').replace('}', ')')}",
        "variants": {},
        "blocks": {},
    }
    template = Template.from_dict(json.loads(json.dumps(given_)))

    assert settings == template.settings
    assert given_ == template.as_dict()


@pytest.mark.parametrize(
    "change",
    [
        lambda stored: stored.pop("body"),
        lambda stored: stored.pop("settings"),
        lambda stored: stored["settings"].update(sendr="A"),
        lambda stored: stored["settings"].update(max_parts=99),
        lambda stored: stored.update(settings=None),
        lambda stored: stored.update(body="{{ x"),
    ],
)
def test_what_is_no_snapshot_is_refused(change: Callable[[dict[str, Any]], object]) -> None:
    stored = make_template("sender: ACME").as_dict()
    change(stored)

    with pytest.raises(TemplateError):
        Template.from_dict(stored)


def test_the_columns_an_audience_lacks_are_named_with_their_near_names() -> None:
    body = "{{ first_name }} {{ city }} {{ points }} {{ vip|default('') }}"
    template = make_template("missing: default\ndefaults: {city: here}", body)

    assert {} == template.missing_columns(["first_name", "points"])
    assert {"first_name": "did you mean 'firstname'?", "points": "known: firstname, phone"} == (
        template.missing_columns(["firstname", "phone"])
    )


def test_a_file_is_loaded_and_named_after_itself(tmp_path: Path) -> None:
    path = tmp_path / "spring.sms.j2"
    path.write_bytes(b"\xef\xbb\xbf" + FULL.replace("\n", "\r\n").encode())
    template = load_template(path)

    assert "spring" == template.name
    assert str(path) == template.source
    assert read_template(FULL, name="spring") == template


def test_a_file_that_cannot_be_read_is_said_clearly(tmp_path: Path) -> None:
    (tmp_path / "latin.sms.j2").write_bytes("---\n---\nété".encode("latin-1"))

    with pytest.raises(TemplateError, match="the template is not UTF-8"):
        load_template(tmp_path / "latin.sms.j2")
    with pytest.raises(TemplateError, match=r"cannot be read .*No such file"):
        load_template(tmp_path / "none.sms.j2")


def test_the_problems_of_a_file_begin_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "bad.sms.j2"
    path.write_text("---\nmax_parts: 0\n---\nHi", encoding="utf-8")

    with pytest.raises(TemplateError) as caught:
        load_template(path)

    assert f"{path}:2: max_parts: " in str(caught.value.facts["problems"])


@pytest.mark.parametrize("name", ["welcome", "welcome.sms.j2", "fr/bienvenue"])
def test_a_template_is_found_by_its_name(name: str, tmp_path: Path) -> None:
    (tmp_path / "fr").mkdir()
    (tmp_path / "welcome.sms.j2").write_text("---\n---\nHi", encoding="utf-8")
    (tmp_path / "fr" / "bienvenue.sms.j2").write_text("---\n---\nHi", encoding="utf-8")

    assert name.removesuffix(".sms.j2") == find_template(name, tmp_path).name


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("welcom", "did you mean 'welcome'?"),
        ("xyz", "known: welcome"),
        ("../welcome", "did you mean 'welcome'?"),
        ("/etc/passwd", "known: welcome"),
        ("", "known: welcome"),
    ],
)
def test_a_template_that_is_not_there_is_refused_with_the_near_name(
    name: str, hint: str, tmp_path: Path
) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    for place in (tmp_path, folder):
        (place / "welcome.sms.j2").write_text("---\n---\nHi", encoding="utf-8")

    with pytest.raises(TemplateError, match="no such template") as caught:
        find_template(name, folder)

    assert hint == caught.value.facts["hint"]


def test_an_empty_folder_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match="the folder holds none"):
        find_template("welcome", tmp_path / "nowhere")
