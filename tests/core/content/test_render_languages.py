"""Rendering in several languages: each row in its own, the same as one language at a time."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.body import make_sandbox
from smsflow_provider.core.content.filters import memoised_filters
from smsflow_provider.core.content.render import (
    SEPARATOR,
    Failed,
    Missing,
    Renderer,
    VariantRenderer,
    compile_loop,
)
from smsflow_provider.core.content.template import read_template

TEMPLATE = read_template(
    "---\nlanguage: lang\ndefault_language: en\nmissing: default\ndefaults: {city: here}\n---\n"
    "Hi {{ name }} {% include 'end' %}\n--- fr\n\nSalut {{ prenom }} {{ n + 1 }}\n"
    "--- pt-BR\nOi{{ name|default('') }} {{ city }}",
    name="sale",
    blocks={"end": "in {{ city }}"},
)


def test_each_row_reads_its_own_language() -> None:
    rows: dict[str, list[object]] = {
        "lang": ["fr", "en", None, "pt-br", "fr-CA", "xx"],
        "name": ["A", "B", "C", "D", None, "F"],
        "prenom": ["a", None, None, None, "e", None],
        "city": [None, "Rome", " ", "Lima", None, None],
        "n": [1, None, None, None, "x", None],
    }

    assert [
        "\nSalut a 2",
        "Hi B in Rome",
        "Hi C in here",
        "OiD Lima",
        Failed(reason="line 10: the values do not fit (TypeError)"),
        "Hi F in here",
    ] == Renderer(TEMPLATE).render_chunk(rows, count=6)


def test_a_field_only_another_language_requires_is_not_missed() -> None:
    renderer = Renderer(TEMPLATE)

    assert "Hi B in here" == renderer.render_row({"lang": "en", "name": "B"})
    assert Missing(field="n") == renderer.render_row({"lang": "fr", "name": "B", "prenom": "b"})


def test_a_language_can_be_told_for_all_rows() -> None:
    renderer = Renderer(TEMPLATE)
    rows = {"lang": ["fr", "fr"], "name": ["A", "B"]}

    assert ["OiA here", "OiB here"] == renderer.render_chunk(rows, count=2, language="pt-BR")
    assert ["Hi A in here", "Hi B in here"] == renderer.render_chunk(rows, count=2, language="")
    with pytest.raises(KeyError):
        renderer.render_chunk(rows, count=2, language="de")


def test_without_the_column_everybody_reads_the_default() -> None:
    """The preparation refuses such an audience; see ``missing_columns``."""
    assert ["Hi A in here"] == Renderer(TEMPLATE).render_chunk({"name": ["A"]}, count=1)


def test_a_column_of_another_length_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="column 'lang' has 1 values, not 2"):
        Renderer(TEMPLATE).render_chunk({"lang": ["fr"], "name": ["A", "B"]}, count=2)
    with pytest.raises(ValueError, match="column 'name' has 1 values, not 2"):
        Renderer(TEMPLATE).render_chunk({"lang": ["en", "en"], "name": ["A"]}, count=2)


def test_a_variant_is_plain_values_that_travel_to_another_process() -> None:
    for code in ("en", "fr", "pt-BR", ""):
        variant = TEMPLATE.variant(code)
        there = pickle.loads(pickle.dumps(variant))  # noqa: S301  our own bytes
        rows: dict[str, list[object]] = {"name": ["A", None], "prenom": ["a", "b"], "n": [1, 2]}
        made = VariantRenderer(there).render_chunk(rows, count=2)

        assert variant == there
        assert made == Renderer(TEMPLATE).render_chunk(rows, count=2, language=code)


def test_the_loop_takes_rows_of_the_fields_and_ends_each_text() -> None:
    variant = TEMPLATE.variant("en")
    loop = compile_loop(variant, sandbox=make_sandbox(memoised_filters()))

    assert ("city", "name") == variant.fields
    assert loop is not None
    assert f"Hi A in x{SEPARATOR}Hi B in y{SEPARATOR}" == loop.render(
        rows_=[("x", "A"), ("y", "B")]
    )


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["en", "fr", "FR-be", "pt-BR", "", None, 3, "\x1e"]),
            st.sampled_from(["Ann", None, "", "a\x1eb", "tab\t"]),
            st.sampled_from([1, None, "x"]),
        ),
        max_size=60,
    )
)
def test_mixed_rows_give_what_each_gives_alone(rows: list[tuple[object, object, object]]) -> None:
    renderer = Renderer(TEMPLATE)
    names = ("lang", "name", "n")
    columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
    columns["prenom"] = columns["name"]
    alone = [
        renderer.render_row({"lang": lang, "name": name, "n": n, "prenom": name})
        for lang, name, n in rows
    ]

    assert alone == renderer.render_chunk(columns, count=len(rows))
