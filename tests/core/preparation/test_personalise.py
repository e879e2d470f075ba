from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.content.encoding import measure
from smsflow_provider.core.content.opt_out_mention import has_mention
from smsflow_provider.core.content.render_process import RenderProcess
from smsflow_provider.core.content.template import Template, read_template
from smsflow_provider.core.errors import TemplateError
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.gateways.simulator import SimulatorDialect
from smsflow_provider.core.preparation.mention import Mentions, mentioning, mentions_of
from smsflow_provider.core.preparation.personalise import (
    Chunk,
    Personalised,
    Personaliser,
    values_of,
)
from smsflow_provider.core.preparation.typology import TYPOLOGY_DEFAULT, Typology
from tests.core.preparation.preparing import KANNEL, SIMULATOR, make_template

FACE = "\N{GRINNING FACE}"


def chunk_of(rows: list[dict[str, Any]], *, first_row: int = 1, region: str = "FR") -> Chunk:
    count = len(rows)
    people = pl.DataFrame(
        {
            "row_number": pl.int_range(first_row, first_row + count, eager=True),
            "region": [region] * count,
        }
    )
    return Chunk(people=people, fields=pl.DataFrame(rows, infer_schema_length=None))


def personalised(
    template: Template,
    *chunks: Chunk,
    dialects: Sequence[Dialect] = (SIMULATOR,),
    typology: Typology = TYPOLOGY_DEFAULT,
) -> list[Personalised]:
    with RenderProcess(template) as process:
        personaliser = Personaliser(
            template,
            dialects=dialects,
            process=process,
            mentions=mentions_of(template.settings, typology),
        )
        return list(personaliser.personalise(chunks))


def texts_of(template: Template, *rows: dict[str, Any], **told: Any) -> pl.DataFrame:
    (made,) = personalised(template, chunk_of(list(rows)), **told)
    return made.texts


@pytest.mark.parametrize("dialect", [SIMULATOR, KANNEL])
def test_parts_are_measured_with_the_split_of_the_gateway(dialect: SimulatorDialect) -> None:
    bodies = ["a" * 161, "€" * 170, FACE * 70, "a" * 66 + FACE + "b" * 66]

    texts = texts_of(
        make_template("{{ body }}"), *[{"body": one} for one in bodies], dialects=[dialect]
    )

    for body, row in zip(bodies, texts.iter_rows(named=True), strict=True):
        split = dialect.splitting[measure(body).encoding].value
        assert measure(body, split=split).parts == row["parts"]


def test_of_two_gateways_the_one_that_makes_more_parts_counts() -> None:
    bodies = [FACE * 67, "a" * 66 + FACE + "b" * 67, "a" * 161]
    template = make_template("{{ body }}")

    (made,) = personalised(
        template, chunk_of([{"body": one} for one in bodies]), dialects=[SIMULATOR, KANNEL]
    )

    for body, row in zip(bodies, made.texts.iter_rows(named=True), strict=True):
        sizes = [
            measure(body, split=one.splitting[measure(body).encoding].value).parts
            for one in (SIMULATOR, KANNEL)
        ]
        assert max(sizes) == row["parts"]
    assert [True, True, False] == made.texts["is_cut"].to_list()


def test_what_has_no_text_comes_back_in_its_place() -> None:
    rows = [{"name": name} for name in ("Ana", None, "a\tb", " ", "Zoé")]

    texts = texts_of(make_template("{{ name }}"), *rows)

    assert ["Ana", None, None, None, "Zoé"] == texts["body"].to_list()
    assert [None, "name", None, "name", None] == texts["missing"].to_list()
    assert [None, None, "holds U+0009, which cannot be sent", None, None] == (
        texts["failed"].to_list()
    )


def test_a_text_that_transliteration_empties_has_failed() -> None:
    template = make_template("{{ name }}", transliteration="full")

    texts = texts_of(template, {"name": "\N{ZERO WIDTH NON-JOINER}"})

    assert ["the text is empty"] == texts["failed"].to_list()


def test_no_text_shows_in_a_repr() -> None:
    (made,) = personalised(make_template("{{ name }}"), chunk_of([{"name": "secret"}]))

    assert "secret" not in repr(made)


def test_chunks_come_back_in_order_each_with_its_own_texts() -> None:
    chunks = [chunk_of([{"name": f"{n}-{m}"} for m in range(n + 1)]) for n in range(6)]

    made = personalised(make_template("{{ name }}"), *chunks)

    assert [one.fields["name"].to_list() for one in chunks] == [
        one.texts["body"].to_list() for one in made
    ]


SPOKEN = read_template(
    "---\nclass: transactional\nlanguage: lang\ndefault_language: en\n---\nHello {{ name }}\n"
    "--- fr\nBonjour {{ name }}\n--- de\nHallo {{ name }}\n",
    name="spoken",
)


def test_each_recipient_reads_the_own_language_in_the_own_row() -> None:
    rows = [
        {"name": str(n), "lang": lang}
        for n, lang in enumerate(["fr", "de", None, "fr-CA", "it", "DE", ""])
    ]

    texts = texts_of(SPOKEN, *rows)

    assert [
        *("Bonjour 0", "Hallo 1", "Hello 2", "Bonjour 3", "Hello 4", "Hallo 5", "Hello 6"),
    ] == texts["body"].to_list()
    assert ["fr", "de", "en", "fr", "en", "de", "en"] == texts["language"].to_list()


def test_languages_nobody_wrote_a_text_in_are_counted() -> None:
    with RenderProcess(SPOKEN) as process:
        personaliser = Personaliser(
            SPOKEN,
            dialects=[SIMULATOR],
            process=process,
            mentions=Mentions(is_needed=False, is_added=False),
        )
        rows = [{"name": "x", "lang": lang} for lang in ("it", "it", None, "fr", "EN", " ")]
        list(personaliser.personalise([chunk_of(rows)]))

    assert {"it": 2} == personaliser.unknown_languages


def test_a_column_of_names_is_not_kept_as_languages() -> None:
    with RenderProcess(SPOKEN) as process:
        personaliser = Personaliser(
            SPOKEN,
            dialects=[SIMULATOR],
            process=process,
            mentions=Mentions(is_needed=False, is_added=False),
        )
        rows = [{"name": "x", "lang": f"Name {number}"} for number in range(2_000)]
        list(personaliser.personalise([chunk_of(rows), chunk_of(rows)]))

    assert (1_001, 4_000) == (
        len(personaliser.unknown_languages),
        personaliser.unknown_languages.total(),
    )


def test_a_marketing_text_gets_the_mention_of_the_country_where_it_lacks_one() -> None:
    template = make_template(
        "{{ text }}", **{"class": "marketing"}, opt_out_mention="STOP 36111",
        opt_out_mentions={"BE": "STOP 8686"},
    )  # fmt: skip

    french = texts_of(template, {"text": "Sale!"}, {"text": "Sale! STOP 36222"})
    (belgian,) = personalised(template, chunk_of([{"text": "Sale!"}], region="BE"))

    assert ["Sale! STOP 36111", "Sale! STOP 36222"] == french["body"].to_list()
    assert ["Sale! STOP 8686"] == belgian.texts["body"].to_list()
    assert french["has_mention"].all()


def test_a_mention_that_nobody_names_is_missing_and_that_of_the_typology_serves() -> None:
    template = make_template("{{ text }}", **{"class": "marketing"})
    typology = Typology(opt_out_mentions={"FR": "STOP 36111"})

    without = texts_of(template, {"text": "Sale!"})
    with_one = texts_of(template, {"text": "Sale!"}, typology=typology)

    assert [False] == without["has_mention"].to_list()
    assert ["Sale! STOP 36111"] == with_one["body"].to_list()


def test_a_template_that_is_too_slow_names_the_rows_of_the_audience() -> None:
    template = make_template("{% for a in text %}{{ text | replace('a', text) }}{% endfor %}")
    slow = [{"text": "a" * 20_000} for _ in range(6)]
    with RenderProcess(template, chunk_s=0.5, row_s=0.2, memory_bytes=2**28) as process:
        personaliser = Personaliser(
            template,
            dialects=[SIMULATOR],
            process=process,
            mentions=Mentions(is_needed=False, is_added=False),
        )
        with pytest.raises(TemplateError) as caught:
            list(personaliser.personalise([chunk_of([{"text": "a"}, *slow], first_row=101)]))

    assert [102, 103, 104, 105, 106] == caught.value.facts["rows"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["a", "", " ", "\u2003", "\x1c", None], ["a", None, None, None, None, None]),
        ([1.5, float("nan"), None], [1.5, None, None]),
        ([1, 0, None], [1, 0, None]),
        ([True, False], [True, False]),
    ],
)
def test_blank_values_are_none_and_others_stay(values: list[Any], expected: list[Any]) -> None:
    assert expected == values_of(pl.Series(values))


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.text(max_size=12),
            st.sampled_from(
                [
                    "Sale! STOP 36111",
                    "xSTOP 36111",
                    "STOP 36111",
                    "Sale STOP 361112",
                    "Stop by our shop",
                    "reply STOP",
                    "a STOP",
                    "unsubscribe here",
                    "Sale! STOP 36111 ",
                ]
            ),
        )
    )
)
def test_the_quick_look_for_a_mention_equals_the_pattern(texts: list[str | None]) -> None:
    column = pl.Series(texts, dtype=pl.String)

    expected = [True if text is None else has_mention(text) for text in texts]

    assert expected == mentioning(column).to_list()
