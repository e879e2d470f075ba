"""Which fields a text uses, and which it cannot do without."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import UndefinedError

from smsflow_provider.core.content.body import make_sandbox
from smsflow_provider.core.content.fields import fields_of, read_before_set, required_in
from smsflow_provider.core.content.filters import FILTERS
from smsflow_provider.core.content.render import BlankField

SANDBOX = make_sandbox(FILTERS)


@pytest.mark.parametrize(
    ("body", "fields", "required"),
    [
        ("plain", "", ""),
        ("{{ a }}", "a", "a"),
        ("{{ a }}{{ b|title }}", "a b", "a b"),
        ("{{ a|default('x') }}", "a", ""),
        ("{{ a|d('x') }}", "a", ""),
        ("{{ a|default(b) }}", "a b", "b"),
        ("{{ a|title|default('x') }}", "a", "a"),
        ("{{ a|default('x')|title }}", "a", ""),
        ("{{ a|default('x') }}{{ a }}", "a", "a"),
        ("{% if a %}x{% endif %}", "a", ""),
        ("{% if a %}{{ a }}{% endif %}", "a", ""),
        ("{% if a %}{{ b }}{% endif %}", "a b", "b"),
        ("{% if a %}{{ a }}{% else %}{{ a }}{% endif %}", "a", "a"),
        ("{% if not a %}x{% else %}{{ a }}{% endif %}", "a", ""),
        ("{% if not a %}{{ a }}{% endif %}", "a", "a"),
        ("{% if a is defined %}{{ a }}{% endif %}", "a", ""),
        ("{% if a is not defined %}x{% else %}{{ a }}{% endif %}", "a", ""),
        ("{% if a is undefined %}x{% else %}{{ a }}{% endif %}", "a", ""),
        ("{% if a is undefined %}{{ a }}{% endif %}", "a", "a"),
        ("{% if a is number %}x{% endif %}", "a", "a"),
        ("{% if a and b %}{{ a }}{{ b }}{% endif %}", "a b", ""),
        ("{% if a and a == 'x' %}{{ a }}{% endif %}", "a", ""),
        ("{% if a == 'x' and a %}{{ a }}{% endif %}", "a", "a"),
        ("{% if a or b %}{{ a }}{% endif %}", "a b", "a"),
        ("{% if a or b %}x{% else %}{{ a }}{% endif %}", "a b", "a"),
        ("{% if not a or a == 'x' %}x{% else %}{{ a }}{% endif %}", "a", ""),
        ("{% if not (a and b) %}x{% else %}{{ a }}{{ b }}{% endif %}", "a b", ""),
        ("{% if a > 3 %}x{% endif %}", "a", "a"),
        ("{% if a %}x{% elif b %}{{ b }}{% else %}{{ c }}{% endif %}", "a b c", "c"),
        ("{% if not a %}x{% elif a == 1 %}{{ a }}{% endif %}", "a", ""),
        ("{{ a or 'x' }}", "a", ""),
        ("{{ a or b }}", "a b", "b"),
        ("{{ a and 'x' }}", "a", "a"),
        ("{{ 'x' if a else 'y' }}", "a", ""),
        ("{{ a if a else 'y' }}", "a", ""),
        ("{{ a if b else 'y' }}", "a b", "a"),
        ("{{ 'y' if not a else a }}", "a", ""),
        ("{% for x in a %}{{ x }}{{ b }}{{ loop.index }}{% endfor %}", "a b", "a b"),
        ("{% if a %}{% for x in a %}{{ x }}{% endfor %}{% endif %}", "a", ""),
        ("{% set x = a %}{{ x }}", "a", "a"),
        ("{% if a %}{% set x = a %}{{ x }}{% endif %}", "a", ""),
        ("{% if a %}{% set x = 1 %}{% else %}{% set x = b %}{% endif %}{{ x }}", "a b", "b"),
        ("{% with x = a %}{{ x }}{% endwith %}", "a", "a"),
        ("{{ a.city }}{{ b['x'] }}", "a b", "a b"),
        ("{% filter upper %}{{ a }}{% endfilter %}", "a", "a"),
    ],
)
def test_a_field_is_required_unless_every_use_is_guarded(
    body: str, fields: str, required: str
) -> None:
    tree = SANDBOX.parse(body)

    assert set(fields.split()) == fields_of(tree)
    assert set(required.split()) == required_in(tree)


@pytest.mark.parametrize(
    ("body", "early"),
    [
        ("{% set a, b = 1, 2 %}{% set c %}x{% endset %}{{ a }}{{ b }}{{ c }}{{ d }}", ""),
        ("{% set a = a|title %}{{ a }}", "a"),
        ("{{ a }}{% set a = 1 %}", "a"),
        ("{% set a %}{{ a }}{% endset %}", "a"),
        ("{% set a = b %}{% set a = a ~ 'x' %}{{ a }}", ""),
        ("{% if b %}{% set a = 1 %}{% else %}{{ a }}{% endif %}", ""),
        ("{% for x in xs %}{{ a }}{% set a = x %}{% endfor %}", "a"),
    ],
)
def test_a_name_that_is_read_before_it_is_set_is_found(body: str, early: str) -> None:
    assert set(early.split()) == read_before_set(SANDBOX.parse(body))


NAMES = st.sampled_from(["a", "b"])
ATOMS = NAMES.map(lambda name: name) | NAMES.map(lambda name: f"{name} is defined")
CONDITIONS = st.recursive(
    ATOMS,
    lambda inner: st.one_of(
        inner.map(lambda one: f"not ({one})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
            lambda three: f"({three[0]}) {three[1]} ({three[2]})"
        ),
    ),
    max_leaves=5,
)
BODIES = st.builds(
    "{{% if {} %}}x{}{{% elif {} %}}y{}{{% else %}}z{}{{% endif %}}{{{{ {} or 'w' }}}}".format,
    CONDITIONS,
    NAMES.map("{{{{ {} }}}}".format) | st.just(""),
    CONDITIONS,
    NAMES.map("{{{{ {} }}}}".format) | st.just(""),
    NAMES.map("{{{{ {} }}}}".format) | st.just(""),
    CONDITIONS,
)


@settings(deadline=None)
@given(BODIES, st.sets(NAMES))
def test_a_text_never_fails_for_want_of_an_optional_field(body: str, there: set[str]) -> None:
    """Required fields are given a value; the others have one or are blank, all ways round."""
    present = there | required_in(SANDBOX.parse(body))
    row = {name: "v" if name in present else BlankField(name=name) for name in ("a", "b")}

    try:
        SANDBOX.from_string(body).render(row)
    except UndefinedError as error:
        pytest.fail(f"{body} needed {error.message}")
