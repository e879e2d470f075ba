"""Opt-out mentions: which texts have one, what is added, and the same over columns."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.opt_out_mention import (
    MENTION_PATTERN,
    has_mention,
    with_mention,
)

MENTIONS = """\
Sale STOP 36111
Sale STOP au 36111
STOP to 36111
Stop SMS au 36111
STOP SMS: 36 111
Reply STOP to opt out
reply stop to end
Txt STOP to 80888
Text 'STOP' to unsubscribe
envoyez STOP au 36179
Rép STOP
Rép. STOP
Sale. STOP.
(STOP)
Msg&data rates may apply. Reply STOP
STOP=36111
Pour ne plus recevoir: 36111
Opt out: acme.co/o
opt-out acme.co
optout
Unsubscribe: acme.co/x
https://acme.co/u/unsubscribe?x=1
acme.co/stop
https://acme.co/stop.
https://x.fr/desabo/12
désabonnement acme.fr
DÉSABONNEMENT: acme.fr
Désinscription 36111
Abmelden: STOP an 12345
Sende STOP an 12345
abmelden acme.de
Para darse de baja responda BAJA
BAJA al 12345
envía BAJA
Disiscriviti qui
Invia STOP al 48585
Afmelden? SMS STOP naar 3010
ARRET au 36111
ARRÊT 36111
Répondez ARRÊT
Text END to 12345
配信停止 acme.jp
回T退订
무료수신거부 0801234567
RET yaz 3344
Odjava: STOP na 12345
Wyslij STOP na 7055
""".splitlines()
OTHERS = """\
Stop by our shop!
Non-stop music all night
NON-STOP PARTY tonight
STOP WAITING! SALE
STOP! Our sale starts
Don't stop believing 20% off
Prochain arrêt: nos soldes
arrêt de bus
Precios a la baja
Weekend 2024 sale
The end
Cancel culture
https://acme.co/stop-waiting
https://acme.co/non-stop
unstoppable
pit stop
Last stop: summer
Sale ends 30/09
Trends 2026
Send love
Stop in 2 shops
Stop, 20% off
nonstop 12345 songs
Cancel 1 order
Backstop 36111
end of 2026
Stop by 12345 Main Street
STOP BY 12345 MAIN STREET
Offers end 31.12.2026
Buy by end of June
Do not reply. End of season
STOP 2026 PRICES
Stop 2000 calories
precios a la baja en 2026
Résiliez votre contrat
Кредит без отказа
Pit stop
STOP 20% off
Baja 2026
Non-stop 36111
""".splitlines()
PIECES = [
    *("STOP", "stop", "Stop", "ARRÊT", "arret", "BAJA", "unsubscribe", "opt-out", "reply", "Rép."),
    *(
        "envoyez",
        "END",
        "désabo",
        "au",
        "to",
        "sms",
        "36111",
        "36 111",
        "2026",
        "123",
        ":",
        ".",
        "!",
    ),
    *("\n", "(", ")", "'", "\u2019", "-", "_", "%", "€", "é", "ÿ", "ſ", "\u212a", "İ", "ı", "😀"),
    *(
        "https://a.co/stop",
        "a.fr/x?unsub",
        "/stop",
        "\u0301",
        "\u00a0",
        "\u200d",
        "配信停止",
        "٣٣٣٣٣",
    ),
]


@pytest.mark.parametrize("text", [*MENTIONS, "Svara STOPP"])  # codespell:ignore
def test_a_way_to_opt_out_is_seen(text: str) -> None:
    assert has_mention(text)
    assert has_mention(f"Hi Ann, 20% off until Sunday. {text}")


@pytest.mark.parametrize("text", OTHERS)
def test_the_same_words_in_another_sense_are_no_mention(text: str) -> None:
    assert not has_mention(text)


def test_the_words_of_the_configured_mention_are_one_in_any_language() -> None:
    text = "Soldes! Zaustavite na 3344"

    assert not has_mention(text)
    assert has_mention(text, "Zaustavite na 3344")
    assert text == with_mention(text, "Zaustavite na 3344")


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("Sale!", "Sale! STOP 36111"),
        ("Sale! ", "Sale! STOP 36111"),
        ("Sale!\n", "Sale!\nSTOP 36111"),
        ("Sale!\n\n", "Sale!\n\nSTOP 36111"),
        ("Sale! STOP 36179", "Sale! STOP 36179"),
        ("Stop by!", "Stop by! STOP 36111"),
    ],
)
def test_a_mention_is_added_behind_one_space_or_newline(text: str, whole: str) -> None:
    assert whole == with_mention(text, "STOP 36111")


def test_without_a_mention_nothing_is_added() -> None:
    assert "Sale!" == with_mention("Sale!", "")


@given(st.text(min_size=1, max_size=40), st.sampled_from(["STOP 36111", "x", "退", "Fin."]))
def test_what_has_a_mention_gets_no_second_one(text: str, mention: str) -> None:
    once = with_mention(text, mention)

    assert once.startswith(text)
    assert has_mention(once, mention)
    assert once == with_mention(once, mention)


@settings(deadline=None)
@given(
    st.lists(
        st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=8).map(" ".join)
        | st.lists(st.sampled_from(PIECES), max_size=8).map("".join),
        min_size=1,
        max_size=50,
    )
)
def test_a_column_is_judged_as_its_texts_are(texts: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in texts]
    column = pl.Series(texts, dtype=pl.String).str.contains(MENTION_PATTERN)

    assert [has_mention(text) for text in texts] == column.to_list()


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(PIECES), min_size=1, max_size=5).map(" ".join),
            st.sampled_from([None, "STOP 36111", "Adieu 12"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_the_expression_of_the_docstring_adds_the_same(rows: list[tuple[str, str | None]]) -> None:
    frame = pl.DataFrame(rows, schema={"text": pl.String, "mention": pl.String}, orient="row")
    text, mention = pl.col("text"), pl.col("mention")
    literal = text.str.contains(mention, literal=True).fill_null(value=False)
    has = text.str.contains(MENTION_PATTERN) | literal
    ends = text.str.ends_with(" ") | text.str.ends_with("\n")
    gap = pl.when(ends).then(pl.lit("")).otherwise(pl.lit(" "))
    new = pl.when(has | mention.is_null()).then(text).otherwise(text + gap + mention)

    assert [with_mention(text, mention or "") for text, mention in rows] == (
        frame.select(new.alias("new"))["new"].to_list()
    )


def test_the_pattern_needs_nothing_rust_lacks() -> None:
    assert re.search(r"\\[bBdDwWAZ]|\(\?[=!<]", MENTION_PATTERN) is None


@pytest.mark.parametrize(
    "text",
    ["a.aa" * 1000, "STOP " * 800, "send: " * 700, "a.bc/" + "/s" * 1990, "stop sms au " * 330],
)
def test_no_text_makes_the_search_long(text: str) -> None:
    """4,000 characters, each built to mislead: without a limit this would take minutes."""
    assert not has_mention(text)
