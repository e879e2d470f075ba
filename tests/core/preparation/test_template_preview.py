"""What a template reads like for rows, before there is a delivery."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.model import Encoding
from smsflow_provider.core.preparation.prices import PriceTable
from smsflow_provider.core.preparation.template_preview import (
    Choice,
    Sample,
    TemplatePreview,
    parts_of,
)
from smsflow_provider.core.store.samples import Pick

PRICES = PriceTable(
    currency="EUR",
    as_of=date(2026, 11, 1),
    prices={("FR", "*"): Decimal("0.05"), ("DE", "*"): Decimal("0.08")},
)


def make(body: str, **settings: object) -> Template:
    lines = [f"{key}: {value}" for key, value in ({"sender": "ACME"} | settings).items()]
    return read_template("\n".join(["---", *lines, "---", body]), name="made")


def shown(template: Template, rows: Any, **options: Any) -> list[Sample]:
    count = len(next(iter(rows.values())))
    return list(TemplatePreview(template, **options).samples(rows, count=count))


def test_a_row_is_shown_with_all_that_it_would_cost() -> None:
    template = make("Bonjour {{ name }}", region="FR", opt_out_mention="STOP 36111")
    rows = {"id": [7], "phone": ["0612345678"], "name": ["Zoê"]}

    (sample,) = shown(template, rows, prices=PRICES)
    assert {
        "row": 1,
        "recipient_id": "7",
        "picks": ["longest"],
        "region": "FR",
        "language": "",
        "sender": "ACME",
        "sender_problem": None,
        "text": "Bonjour Zoê STOP 36111",
        "encoding": "ucs2",
        "units": 22,
        "parts": 1,
        "part_starts": [],
        "is_cut": False,
        "is_too_long": False,
        "cost": "0.05",
    } == sample.as_dict(["longest"])
    assert "Zo" not in repr(sample)


def test_each_row_has_its_language_sender_and_mention() -> None:
    template = make(
        "Hi\n--- fr\nSalut",
        language="lang",
        default_language="en",
        senders="{FR: '36111'}",
        opt_out_mentions="{FR: STOP au 36111}",
    )
    rows = {"phone": ["+33612345678", "+4915123456789", "x"], "lang": ["FR-ca", "de", None]}
    found = [(one.country, one.language, one.sender, one.text) for one in shown(template, rows)]

    assert [
        ("FR", "fr", "36111", "Salut STOP au 36111"),
        ("DE", "en", "ACME", "Hi"),
        (None, "en", "ACME", "Hi"),
    ] == found


def test_an_expression_for_the_sender_holds_for_rows_without_columns_and_without_values() -> None:
    constant = TemplatePreview(make("Hi", sender_expression="\"'Shop'\""))
    by_shop = TemplatePreview(make("Hi", sender_expression="shop"))

    assert ["Shop", "Shop"] == [one.sender for one in constant.samples({}, count=2)]
    assert ["ACME"] == [one.sender for one in by_shop.samples({"shop": [None]}, count=1)]
    for rows in ({}, {"shp": ["x"]}):
        with pytest.raises(ConfigError) as caught:
            list(by_shop.samples(rows, count=1))
        assert "sender_expression: unknown column 'shop'" in str(caught.value.facts["problems"])


def test_a_sender_by_expression_comes_first() -> None:
    template = make("Hi", sender_expression="CASE WHEN n > 1 THEN shop END")
    rows = {"shop": ["Lyon", "Nice", None], "n": [2, 1, 2]}

    assert ["Lyon", "ACME", "ACME"] == [one.sender for one in shown(template, rows)]
    (wrong,) = shown(template, {"shop": ["Café de Lyon"], "n": [2]})
    assert "characters a sender cannot have" in wrong.as_dict()["sender_problem"]
    with pytest.raises(ConfigError):
        shown(template, {"name": ["x"]})


def test_the_gateway_says_where_parts_begin() -> None:
    template = make("{{ text }}", max_parts=1)
    rows = {"text": ["x" * 66 + "😀" * 3]}
    by_unit = dict.fromkeys(Encoding, Split.UNIT)
    whole = dict.fromkeys(Encoding, Split.CODE_POINT)

    (cut,), (kept,) = shown(template, rows, splits=by_unit), shown(template, rows, splits=whole)
    assert ((66,), True, True) == (cut.part_starts, cut.is_cut, cut.is_too_long)
    assert ((66,), False) == (kept.part_starts, kept.is_cut)
    assert ["x" * 66, "😀" * 3] == parts_of(kept.text, kept.part_starts)


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "the field 'name' is missing"),
        ("\x1b", "holds U+001B, which cannot be sent"),
        ("x" * 4_001, "longer than 4000 characters"),
        ("\u200b", "the text is empty"),
    ],
)
def test_a_row_without_a_text_says_why(value: str | None, problem: str) -> None:
    (sample,) = shown(make("{{ name }}", transliteration="full"), {"name": [value]})

    assert {"row": 1, "recipient_id": None, "picks": [], "problem": problem} == sample.as_dict()


def test_rows_are_numbered_through_all_chunks() -> None:
    preview = TemplatePreview(make("{{ n }}"))
    found = preview.samples({"n": [1, 2]}, count=2, first_row=11)

    assert [11, 12] == [sample.row for sample in found]


def sample(row: int, text: str = "x", **facts: Any) -> Sample:
    return Sample(row=row, recipient_id=None, text=text, **({"parts": 1} | facts))


SAMPLES = [
    sample(1, "abc", language="en"),
    sample(2, "abcde", parts=2, cost=Decimal("0.10"), encoding=Encoding.UCS2, language="fr"),
    sample(3, "ab", parts=2, cost=Decimal("0.16"), encoding=Encoding.UCS2, language="en"),
    sample(4, "ab", language="fr"),
    sample(5, "", problem="the text is empty"),
]


@pytest.mark.parametrize(
    ("pick", "expected"),
    [
        (Pick.LONGEST, {2: ["longest"]}),
        (Pick.SHORTEST, {3: ["shortest"]}),
        (Pick.DEAREST, {3: ["dearest"]}),
        (Pick.EACH_ENCODING, {1: ["gsm7"], 2: ["ucs2"]}),
        (Pick.EACH_LANGUAGE, {1: ["en"], 2: ["fr"]}),
        (Pick.EACH_PARTS, {1: ["1 part"], 2: ["2 parts"]}),
    ],
)
def test_each_pick_finds_what_it_names(pick: Pick, expected: dict[int, list[str]]) -> None:
    choice = Choice([pick])
    for one in SAMPLES:
        choice.see(one)

    assert expected == {found.row: names for found, names in choice.chosen()}


def test_a_sample_that_stands_for_several_is_shown_once() -> None:
    choice = Choice([Pick.DEAREST, Pick.SHORTEST, Pick.EACH_LANGUAGE, Pick.DEAREST])
    for one in SAMPLES:
        choice.see(one)

    assert [(3, ["dearest", "shortest"]), (1, ["en"]), (2, ["fr"])] == [
        (found.row, names) for found, names in choice.chosen()
    ]


def test_without_prices_the_dearest_has_most_parts() -> None:
    choice = Choice([Pick.DEAREST])
    for one in (sample(1), sample(2, parts=3), sample(3, parts=3)):
        choice.see(one)

    assert [2] == [found.row for found, _ in choice.chosen()]
