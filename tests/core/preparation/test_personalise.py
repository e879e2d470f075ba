from __future__ import annotations

from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.content.render import Failed, Missing
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.personalise import Personaliser, Text
from tests.core.preparation.preparing import KANNEL, SIMULATOR, make_template

FACE = "\N{GRINNING FACE}"


class CutsAnywhere(SimulatorDialect):
    """A gateway that cuts through escape pairs and surrogate pairs alike."""

    splitting: ClassVar[dict[Encoding, Split]] = dict.fromkeys(Encoding, Split.UNIT)


ANYWHERE = CutsAnywhere(SIMULATOR._settings)


def text_of(body: str, *, dialect: SimulatorDialect = ANYWHERE) -> Text:
    """Personalise one row whose only field is the whole text."""
    personaliser = Personaliser(make_template("{{ body }}"), dialect=dialect)
    (text,) = personaliser.texts({"body": [body]}, count=1)
    assert isinstance(text, Text)
    return text


@pytest.mark.parametrize(
    ("body", "parts", "is_cut"),
    [
        ("a" * 66 + FACE + "b" * 66, 2, True),
        ("a" * 65 + FACE + "b" * 66, 2, False),
        ("a" * 67 + FACE + "b" * 30, 2, False),
        (FACE * 70, 3, True),
        (FACE * 35, 1, False),
        ("a" * 67 + "b" * 66 + FACE + "c" * 66, 3, True),
        ("a" * 152 + "€" + "b" * 20, 2, True),
        ("€" * 10 + "a" * 140, 1, False),
        ("€" * 10 + "a" * 133 + "b" * 30, 2, False),
        ("a" * 151 + "€" + "b" * 20, 2, False),
        ("€" * 200, 3, True),
    ],
)
def test_a_text_is_cut_where_a_border_falls_into_a_pair(
    body: str, parts: int, *, is_cut: bool
) -> None:
    text = text_of(body)

    assert (parts, is_cut) == (text.parts, text.is_cut)


@given(st.lists(st.sampled_from(["a", "€", FACE, "ê"]), min_size=1, max_size=450).map("".join))
def test_a_cut_is_told_exactly_when_a_unit_border_is_inside_a_pair(body: str) -> None:
    text = text_of(body)

    expected = text.parts > 1 and any(
        border in _inner_units(body, text.encoding)
        for border in range(_full(text.encoding), text.units, _full(text.encoding))
    )
    assert expected == text.is_cut


def _full(encoding: Encoding) -> int:
    return 153 if encoding is Encoding.GSM7 else 67


def _inner_units(body: str, encoding: Encoding) -> set[int]:
    """Unit positions in the middle of a pair, found by walking the text."""
    inner: set[int] = set()
    position = 0
    for char in body:
        wide = char == "€" if encoding is Encoding.GSM7 else char == FACE
        if wide:
            inner.add(position + 1)
        position += 2 if wide else 1
    return inner


@pytest.mark.parametrize("dialect", [SIMULATOR, KANNEL])
def test_parts_are_measured_with_the_split_of_the_gateway(dialect: SimulatorDialect) -> None:
    for body in ("a" * 161, "€" * 170, FACE * 70):
        text = text_of(body, dialect=dialect)
        split = dialect.splitting[text.encoding].value
        assert measure(body, split=split).parts == text.parts


def test_what_has_no_text_comes_back_in_its_place() -> None:
    personaliser = Personaliser(make_template("{{ name }}"), dialect=SIMULATOR)

    texts = personaliser.texts({"name": ["Ana", None, "a\tb"]}, count=3)

    assert isinstance(texts[0], Text)
    assert Missing(field="name") == texts[1]
    assert Failed(reason="holds U+0009, which cannot be sent") == texts[2]


def test_a_text_that_transliteration_empties_has_failed() -> None:
    template = make_template("{{ name }}", transliteration="full")
    personaliser = Personaliser(template, dialect=SIMULATOR)

    (text,) = personaliser.texts({"name": ["\N{ZERO WIDTH NON-JOINER}"]}, count=1)

    assert Failed(reason="the text is empty") == text


def test_no_text_shows_in_a_repr() -> None:
    assert "secret" not in repr(text_of("a secret"))


def test_no_rows_are_no_texts() -> None:
    personaliser = Personaliser(make_template("{{ name }}"), dialect=SIMULATOR)

    assert [] == personaliser.texts({"name": []}, count=0)
