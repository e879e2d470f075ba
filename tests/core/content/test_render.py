"""Rendering: a chunk gives what row by row gives, and every row without a text has a reason."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

import jinja2
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content import filters
from smsflow_provider.core.content.render import (
    MAX_CHARACTERS,
    Failed,
    Missing,
    Rendered,
    Renderer,
)
from smsflow_provider.core.content.template import Template, read_template

POOL: Sequence[object] = [
    *("Jean", "MARIE", "élodie", "😀", "O'Neill", "{{ name }}", "{% raw %}", "{# c #}", "a\nb"),
    *("", "  ", "\x1e", "a\x1eb", "tab\t", "\x00", "x" * 60, "<b>&amp;</b>", "%s %d"),
    *(None, 0, 1, 42, -7, 3.5, 12.0, float("nan"), True, False, Decimal("1.50")),
    *(date(2026, 3, 1), datetime(2026, 3, 1, 9, 5, tzinfo=UTC)),
    *(["a", "b"], [], {"city": "Paris"}),
]
BODIES = [
    "Hi {{ name }}!",
    "{{ name }}{{ name }} {{ city }}",
    "Hi {{ name|title }}{% if city %} in {{ city|title }}{% endif %}.",
    "{{ name|default('you') }} {{ city|default('here', true) }}",
    "{% if points > 10 %}rich{% else %}poor{% endif %} {{ name }}",
    "{{ points * 2 }} {{ '%.2f'|format(points) }}",
    "{{ points|money('€', mark=',') }} on {{ day|date }}",
    "{% for one in tags %}{{ loop.index }}{{ one }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{{ tags|join('+') }} {{ tags|length }}",
    "{% set who = name|upper %}{{ who }} {{ who }}",
    "{% if city %}{% set place = city %}in {{ place }}{% else %}away{% endif %}",
    "{{ tags.city }}{{ tags['city'] }}",
    "{%- if name is defined %} {{ name }} {% endif -%}",
    "a\n{{ name|first_name|truncate_words(1) }}\n\n{{ name if name else 'you' }}",
    "{{ name ~ points }} {{ points + 1 }}",
    "no field at all",
    "{% filter upper %}{{ name }}{% endfilter %}{% raw %}{{ x }}{% endraw %}",
    "{{ rows_ }}{{ name }}",
]


def make_renderer(body: str, front: str = "") -> Renderer:
    return Renderer(read_template(f"---\n{front}\n---\n{body}", name="sale"))


def render_one(body: str, front: str = "", /, **row: object) -> Rendered:
    return make_renderer(body, front).render_row(row)


def make_rows(fields: Sequence[str], *, count: int, seed: int) -> dict[str, list[object]]:
    source = random.Random(seed)
    dirty = source.random() < 0.5
    pool = POOL if dirty else ["Jean", "élodie", "Lyon", "{{ name }}"]
    return {name: [source.choice(pool) for _ in range(count)] for name in fields}


def plain_render(template: Template, row: Mapping[str, object]) -> str | None:
    """Jinja by the book, one row. None: it raises. No policy, no checks."""
    environment = jinja2.Environment(  # noqa: S701  plain text, as in the package
        undefined=jinja2.StrictUndefined, keep_trailing_newline=True
    )
    environment.filters.update(filters.FILTERS)
    try:
        return environment.from_string(template.body).render(row)
    except Exception:  # noqa: BLE001  whatever it is, there is no text
        return None


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("seed", range(4))
def test_a_chunk_gives_what_row_by_row_gives(body: str, seed: int) -> None:
    """18 texts, 4 chunks each, 300 rows a chunk: 21,600 rows."""
    renderer = make_renderer(body)
    rows = make_rows(renderer.template.fields, count=300, seed=seed)
    chunk = renderer.render_chunk(rows, count=300)
    single = [
        renderer.render_row({name: values[index] for name, values in rows.items()})
        for index in range(300)
    ]

    assert single == chunk


@pytest.mark.parametrize("body", BODIES)
def test_a_text_is_what_jinja_gives_by_the_book(body: str) -> None:
    """Rows in which nothing is blank: there no policy of ours applies."""
    renderer = make_renderer(body)
    clean = [value for value in POOL if value == value and str(value or "").strip()]  # noqa: PLR0124
    source, compared = random.Random(7), 0
    rows = {name: source.choices(clean, k=500) for name in renderer.template.fields}
    for index, made in enumerate(renderer.render_chunk(rows, count=500)):
        row = {name: values[index] for name, values in rows.items()}
        if isinstance(made, str):
            assert plain_render(renderer.template, row) == made
            compared += 1

    assert 0 < compared


def test_a_chunk_with_one_bad_row_names_it_and_renders_the_rest() -> None:
    rows = {"points": [*range(5_000), "many", *range(5_000)]}
    made = make_renderer("You have {{ points + 1 }}").render_chunk(rows, count=10_001)

    assert Failed(reason="line 4: the values do not fit (TypeError)") == made[5_000]
    assert 10_000 == sum(isinstance(one, str) for one in made)
    assert ["You have 5000", "You have 1"] == [made[4_999], made[5_001]]


def test_no_rows_give_no_texts() -> None:
    assert [] == make_renderer("Hi {{ name }}").render_chunk({"name": []}, count=0)
    assert [] == make_renderer("Hi").render_chunk({}, count=0)


def test_a_text_without_fields_is_the_same_for_everybody() -> None:
    assert ["Hi"] * 3 == make_renderer("Hi").render_chunk({"name": [1, 2, 3]}, count=3)


def test_a_column_of_another_length_is_an_error_of_the_caller() -> None:
    with pytest.raises(ValueError, match="column 'name' has 2 values, not 3"):
        make_renderer("Hi {{ name }}").render_chunk({"name": [1, 2]}, count=3)


@pytest.mark.parametrize("blank", [None, "", " ", "\n\u00a0", float("nan"), Decimal("NaN")])
def test_a_blank_value_of_a_required_field_is_missing(blank: object) -> None:
    assert Missing(field="name") == render_one("Hi {{ name }}", name=blank)
    assert Missing(field="name") == render_one("{% if name == 'x' %}{% endif %}", name=blank)


@pytest.mark.parametrize("blank", [pd.NA, pd.NaT, np.float64("nan"), Decimal("sNaN")])
def test_every_way_of_libraries_to_say_nothing_is_blank(blank: object) -> None:
    assert Missing(field="name") == render_one("Hi {{ name }}", name=blank)
    assert "Hi you" == render_one("Hi {{ name|default('you') }}", name=blank)


def test_an_array_is_a_value() -> None:
    assert "1 2" == render_one("{{ name|join(' ') }}", name=np.array([1, 2]))


@pytest.mark.parametrize("value", [0, 0.0, False, "0", " x "])
def test_a_value_that_is_false_is_not_blank(value: object) -> None:
    assert f"Hi {value}" == render_one("Hi {{ name }}", name=value)


def test_a_column_that_is_not_there_is_missing_in_every_row() -> None:
    made = make_renderer("{{ name }} {{ city }}").render_chunk({"name": ["a", "b"]}, count=2)

    assert [Missing(field="city")] * 2 == made


def test_the_first_field_in_the_order_of_names_is_the_one_reported() -> None:
    assert Missing(field="a") == render_one("{{ b }} {{ a }}", a=None, b=None)


def test_a_branch_the_row_does_not_take_counts_all_the_same() -> None:
    body = "{% if vip %}{{ name }}{% else %}friend{% endif %}"

    assert Missing(field="name") == render_one(body, vip=None, name=None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("Hi {{ name|default('you') }}", "Hi you"),
        ("Hi{% if name %} {{ name }}{% endif %}", "Hi"),
        ("Hi{% if name is defined %} {{ name }}{% endif %}", "Hi"),
        ("Hi {{ name or 'you' }}", "Hi you"),
        ("Hi {{ name if name else 'you' }}", "Hi you"),
        ("Hi{% if not name %} you{% endif %}", "Hi you"),
    ],
)
@pytest.mark.parametrize("blank", [None, "", "  "])
def test_a_blank_optional_field_is_undefined_and_false(
    body: str, expected: str, blank: object
) -> None:
    assert expected == render_one(body, name=blank)
    assert expected == render_one(body)


def test_defaults_stand_in_for_blank_fields() -> None:
    front = "missing: default\ndefaults: {name: 'you', city: ''}"
    body = "Hi {{ name }}{% if city is defined %} in [{{ city }}]{% endif %} {{ points }}"

    assert "Hi you in [] 3" == render_one(body, front, points=3)
    assert "Hi Jo in [Rome] 3" == render_one(body, front, name="Jo", city="Rome", points=3)
    assert Missing(field="points") == render_one(body, front, name="Jo")


@pytest.mark.parametrize("policy", ["fail", "exclude"])
def test_the_policy_itself_is_left_to_the_preparation(policy: str) -> None:
    renderer = make_renderer("Hi {{ name }}", f"missing: {policy}")

    assert [Missing(field="name"), "Hi Jo"] == renderer.render_chunk(
        {"name": [None, "Jo"]}, count=2
    )
    assert policy == renderer.template.settings.missing.value


@pytest.mark.parametrize(
    "value", ["{{ 7 * 7 }}", "{% for x in 'aaa' %}b{% endfor %}", "{{ name.__class__ }}", "{#"]
)
def test_a_value_is_never_read_as_jinja(value: str) -> None:
    renderer = make_renderer("Hi {{ name }}")

    assert [f"Hi {value}"] * 2 == renderer.render_chunk({"name": [value, value]}, count=2)


def test_nothing_is_escaped() -> None:
    assert "<b> & \"c\" 'd'" == render_one("{{ name }}", name="<b> & \"c\" 'd'")


@pytest.mark.parametrize("char", ["\x1e", "\t", "\x00", "\x1b", "\ud83d"])
def test_a_character_that_cannot_be_sent_fails_its_row_alone(char: str) -> None:
    rows = {"name": ["a", f"b{char}c", "d"] * 20}
    made = make_renderer("Hi {{ name }}").render_chunk(rows, count=60)
    bad = Failed(reason=f"holds U+{ord(char):04X}, which cannot be sent")

    assert ["Hi a", bad, "Hi d"] * 20 == made


def test_a_value_that_holds_the_separator_shifts_no_text() -> None:
    rows = {"name": ["a\x1eb", "c", "\x1ed\x1e", "e", "\x1e"]}
    bad = Failed(reason="holds U+001E, which cannot be sent")

    assert [bad, "c", bad, "e", Missing(field="name")] == make_renderer("{{ name }}").render_chunk(
        rows, count=5
    )


@pytest.mark.parametrize("extra", [0, 1])
def test_a_text_longer_than_the_limit_fails(extra: int) -> None:
    made = render_one("{{ name }}", name="x" * (MAX_CHARACTERS + extra))

    assert isinstance(made, Failed) == bool(extra)
    assert not extra or Failed(reason="longer than 4000 characters") == made


def test_an_empty_text_fails() -> None:
    assert Failed(reason="the text is empty") == render_one(
        "{% if name %}Hi{% endif %} ", name=None
    )


@pytest.mark.parametrize(
    ("body", "value", "reason"),
    [
        ("{{ x.city }}", {}, "line 4: a value is missing"),
        ("{{ x.city }}", {"city": None}, "line 4: a value is missing"),
        ("\n{{ x['Dupont'] }}", {}, "line 5: a value is missing"),
        ("{{ x|date }}", "Dupont", "line 4: date: the value is not an ISO 8601 date"),
        ("{{ x|money }}", "Dupont", "line 4: money: the value is not a number"),
        ("{{ x * 3 }}", "Dupont", "line 4: something a template may not do"),
        ("{{ x % 3 }}", "%d", "line 4: something a template may not do"),
        ("{{ x + 3 }}", "Dupont", "line 4: the values do not fit (TypeError)"),
        ("{{ 1 / x }}", 0, "line 4: the values do not fit (ZeroDivisionError)"),
        ("{{ x['__class__'] }}", "Dupont", "line 4: something a template may not do"),
    ],
)
def test_a_failed_row_says_the_line_and_nothing_of_its_values(
    body: str, value: object, reason: str
) -> None:
    assert Failed(reason=reason) == render_one(body, x=value)


def test_results_and_renderers_show_no_text_of_a_row() -> None:
    made = render_one("{{ name|date }}", name="Dupont")

    assert "Dupont" not in repr(made)


def test_a_loop_over_a_field_has_its_own_counter_in_every_row() -> None:
    renderer = make_renderer("{% for x in tags %}{{ loop.index }}{{ x }} {% endfor %}")
    made = renderer.render_chunk({"tags": [["a", "b"], ["c"]]}, count=2)

    assert ["1a 2b ", "1c "] == made


def test_what_one_row_sets_is_not_there_in_the_next() -> None:
    body = "{% if vip %}{% set tone = 'dear' %}{{ tone }}{% else %}hi{% endif %}"

    assert ["dear", "hi", "dear"] == make_renderer(body).render_chunk(
        {"vip": [True, False, True]}, count=3
    )


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(max_size=30), st.sampled_from(POOL)),
            st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=5)),
        ),
        max_size=80,
    ),
    st.sampled_from(
        [
            "{{ a }} {{ b }}",
            "{{ a|title }}{% if b %}{{ b }}{% endif %}",
            "{{ b + 1 }} {{ a|default('x') }}",
        ]
    ),
)
def test_any_rows_give_the_same_in_a_chunk(rows: list[tuple[object, object]], body: str) -> None:
    renderer = make_renderer(body)
    columns = {"a": [row[0] for row in rows], "b": [row[1] for row in rows]}

    assert [renderer.render_row({"a": a, "b": b}) for a, b in rows] == renderer.render_chunk(
        columns, count=len(rows)
    )
