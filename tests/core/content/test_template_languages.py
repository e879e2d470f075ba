"""Languages: sections of a template, who reads which, and what each needs."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.content.languages import canonical_code, language_of
from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.errors import TemplateError

FRONT = "language: lang\ndefault_language: en\n"
THREE = f"""---
{FRONT}---
Hi {{{{ name }}}}!
--- fr
Bonjour {{{{ prenom }}}},
{{% if ville %}}à {{{{ ville }}}}{{% endif %}}
--- PT-br
Oi!

"""


def problems_of(text: str) -> list[str]:
    with pytest.raises(TemplateError) as caught:
        read_template(text, name="sale", source="sale.sms.j2")
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


def test_every_section_is_the_text_of_its_language() -> None:
    template = read_template(THREE, name="sale")

    assert {
        "en": "Hi {{ name }}!",
        "fr": "Bonjour {{ prenom }},\n{% if ville %}à {{ ville }}{% endif %}",
        "pt-BR": "Oi!\n",
    } == template.variants
    assert ["en", "fr", "pt-BR"] == list(template.variants)
    assert template.variants["en"] == template.body
    assert {"en": 5, "fr": 7, "pt-BR": 10} == template.first_lines
    assert 5 == template.body_line


def test_what_is_needed_is_told_of_all_languages_and_of_each() -> None:
    template = read_template(THREE, name="sale")

    assert ("name", "prenom", "ville") == template.fields
    assert ("name", "prenom") == template.required
    assert ("lang", "name", "prenom", "ville") == template.columns
    assert ("name",) == template.variant("en").required == template.variant("").required
    assert ("prenom",) == template.variant("fr").required
    assert () == template.variant("pt-BR").required
    assert ("prenom", "ville") == template.variant("fr").fields
    assert 7 == template.variant("fr").first_line


def test_a_template_without_languages_has_one_text_without_a_code() -> None:
    template = read_template("---\n---\nHi {{ name }}", name="sale")

    assert {"": "Hi {{ name }}"} == template.variants
    assert "" == template.default_language == template.language_of("fr")
    assert ("name",) == template.columns


def test_a_text_of_one_language_may_say_which() -> None:
    template = read_template("---\ndefault_language: FR\n---\nSalut", name="sale")

    assert {"fr": "Salut"} == template.variants


def test_the_column_of_the_language_must_be_there() -> None:
    template = read_template(THREE, name="sale")

    assert {"lang": "did you mean 'langue'?"} == template.missing_columns(
        ["langue", "name", "prenom", "ville"]
    )
    assert {} == template.missing_columns(["lang", "name", "prenom"])


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *(("fr", "fr"), ("FR", "fr"), (" fr ", "fr"), ("fr-CA", "fr"), ("fr_ca", "fr")),
        *(("pt-BR", "pt-BR"), ("pt_br", "pt-BR"), ("pt-BR-x", "pt-BR"), ("pt", "en")),
        *(("en-GB", "en"), ("de", "en"), ("french", "en"), ("fra", "en")),
        *(("", "en"), ("  ", "en"), (None, "en"), (float("nan"), "en"), (1, "en"), ("-", "en")),
    ],
)
def test_a_recipient_reads_the_nearest_language(value: object, code: str) -> None:
    assert code == read_template(THREE, name="sale").language_of(value)


@given(st.text(max_size=12) | st.none() | st.floats() | st.integers())
def test_every_value_leads_to_a_text_that_is_there(value: object) -> None:
    assert language_of(value, ["en", "fr"], default="en") in {"en", "fr"}


@pytest.mark.parametrize(
    ("written", "code"),
    [
        *(("fr", "fr"), ("FR", "fr"), ("pt-br", "pt-BR"), ("ZH-HANT-tw", "zh-Hant-TW")),
        *(("es-419", "es-419"), ("fil", "fil"), ("sr_latn", "sr-Latn")),
        *(("french", None), ("f", None), ("", None), ("fr-", None), ("f1", None), ("fr ca", None)),
    ],
)
def test_a_code_is_written_as_bcp_47_does(written: str, code: str | None) -> None:
    assert code == canonical_code(written)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            f"---\n{FRONT}---\nHi",
            (
                "sale.sms.j2: language: the text has one language only "
                "(begin another language with a line such as --- fr)"
            ),
        ),
        (
            "---\nlabel: x\n---\nHi\n--- fr\nSalut",
            (
                "sale.sms.j2:5: body: nothing says who reads which language "
                "(name the column: language: lang)"
            ),
        ),
        (
            "---\nlanguage: lang\n---\nHi\n--- fr\nSalut",
            "sale.sms.j2:2: language: needs default_language (default_language: en)",
        ),
        (
            "---\nlanguage: lang\ndefault_language: english\n---\nHi\n--- fr\nSalut",
            "sale.sms.j2:3: default_language: is not a language code (for example fr or pt-BR)",
        ),
        (
            f"---\n{FRONT}---\nHi\n--- fr\nSalut\n--- FR\nRe",
            "sale.sms.j2:8: body: fr is written twice",
        ),
        (
            f"---\n{FRONT}---\nHi\n--- EN\nHello\n--- fr\nSalut",
            (
                "sale.sms.j2:6: body: en is the default language "
                "(its text stands before the first section line)"
            ),
        ),
        (f"---\n{FRONT}---\n--- fr\nSalut", "sale.sms.j2:5: body: the text is empty"),
        (f"---\n{FRONT}---\nHi\n--- fr\n", "sale.sms.j2:7: body.fr: the text is empty"),
        (f"---\n{FRONT}---\nHi\n--- fr\n \n--- de\nx", "sale.sms.j2:7: body.fr: the text is empty"),
        (
            f"---\n{FRONT}---\nHi\n--- french\nSalut\n--- fr\nx",
            (
                "sale.sms.j2:6: body: '---' and a word that is no language code "
                "(a language begins with a line such as --- fr or --- pt-BR)"
            ),
        ),
        ("---\n---\nHi\n---french\nx", "sale.sms.j2:4: body: '---' and a word that is no"),
        (
            f"---\n{FRONT}---\nHi\n--- fr\n\n{{{{ x() }}}}",
            "sale.sms.j2:8: body.fr: a call is not allowed",
        ),
        (f"---\n{FRONT}---\nHi\n--- fr\n{{% if x %}}", "sale.sms.j2:7: body.fr: Unexpected end"),
        (
            f"---\n{FRONT}---\nHi\n--- fr\n{{{{ a }}}}{{% set a = 1 %}}",
            "sale.sms.j2: body.fr: 'a' is read before it is set (use two names)",
        ),
    ],
)
def test_what_is_wrong_with_the_languages_is_told_with_its_line(text: str, problem: str) -> None:
    [found] = problems_of(text)

    assert found.startswith(problem)


def test_the_problems_of_all_languages_are_told_at_once() -> None:
    found = problems_of(f"---\nmax_parts: 0\n{FRONT}---\n{{{{ a() }}}}\n--- fr\n\n{{{{ b|x }}}}\n")

    assert ["2: max_parts", "6: body", "9: body.fr"] == [
        ":".join(one.split(":")[1:3]) for one in found
    ]


@pytest.mark.parametrize("line", ["---", "-----", "--- 20%", "--- see you", "---- fr", " --- fr"])
def test_other_lines_of_dashes_are_text(line: str) -> None:
    assert f"Hi\n{line}\nyou" == read_template(f"---\n---\nHi\n{line}\nyou", name="x").body


def test_a_default_for_a_field_of_any_language_is_fine() -> None:
    front = f"{FRONT}missing: default\ndefaults: {{prenom: vous}}\n"
    template = read_template(f"---\n{front}---\nHi\n--- fr\nSalut {{{{ prenom }}}}", name="x")

    assert {} == template.variant("en").defaults
    assert {"prenom": "vous"} == template.variant("fr").defaults


def test_a_snapshot_keeps_every_language() -> None:
    template = read_template(THREE, name="sale")
    stored = json.loads(json.dumps(template.as_dict()))

    assert "Hi {{ name }}!" == stored["body"]
    assert {"fr", "pt-BR"} == set(stored["variants"])
    assert template == Template.from_dict(stored)
    assert stored == Template.from_dict(stored).as_dict()


def test_a_snapshot_from_before_languages_and_blocks_is_read() -> None:
    settings = {"label": "", "sender": "ACME", "class": "marketing", "validity": 86_400}
    template = Template.from_dict({"name": "old", "settings": settings, "body": "Hi {{ name }}"})

    assert {"": "Hi {{ name }}"} == template.variants
    assert {} == template.blocks
    assert 5 == template.settings.weight


def test_a_text_of_a_snapshot_is_never_taken_apart_again() -> None:
    stored = read_template("---\n---\nHi", name="x").as_dict()

    assert "Hi\n--- fr\nx" == Template.from_dict({**stored, "body": "Hi\n--- fr\nx"}).body


@given(st.lists(st.sampled_from(["Hi", "", " ", "--", "{{ a }}", "x---"]), min_size=1, max_size=6))
def test_the_sections_hold_every_line_of_the_file(lines: list[str]) -> None:
    """The last newline of each text is layout, nothing else is lost."""
    text = "\n".join(["a", *lines])
    template = read_template(f"---\n{FRONT}---\n{text}\n--- fr\n{text}\n", name="x")

    assert {"en": text, "fr": text} == template.variants
