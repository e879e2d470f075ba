"""Transliteration, against Unicode's own tables and over all its blocks."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smsflow_provider.core.content.encoding import (
    GSM_CHARACTERS,
    encoding_of,
    non_gsm_characters,
)
from smsflow_provider.core.content.punctuation import FRACTIONS, PUNCTUATION
from smsflow_provider.core.content.transliteration import (
    Transliteration,
    transliterate,
    transliteration_changes,
)
from smsflow_provider.core.model import Encoding

LEVELS = [level.value for level in Transliteration]
ACCENTED = "éèàùìòÉÇñÑöäüÖÄÜåÅøØæÆßçêëîïôûÿœŒáíóúâãõÀÈÊËÎÏÔÛŸśżłđ"
TEXT = st.one_of(
    st.text(max_size=120),
    st.text(
        st.sampled_from("ab 019" + ACCENTED + "".join(PUNCTUATION) + "\u0301\u0302😀日Жα"),
        max_size=120,
    ),
)


def every_character() -> list[str]:
    return [chr(code) for code in range(sys.maxunicode + 1)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\u2018a\u2019 \u201cb\u201d «c»", '\'a\' "b" "c"'),
        ("a\u2013b \u2014 c\u2011d", "a-b - c-d"),
        ("wait\u2026", "wait..."),
        ("12\u00a0500\u202f€", "12 500 €"),
        ("\u00bd cup, 2\u00bd cups", "1/2 cup, 2 1/2 cups"),
        ("\uff21\uff22\uff23 \uff11\uff12\uff01", "ABC 12!"),
        ("zero\u200bwidth\ufeff", "zerowidth"),
        ("tab\there", "tab here"),
        ("one\u2028two", "one\ntwo"),
        ("fête, garçon, œuf", "fête, garçon, œuf"),
        ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
        ("❤\ufe0f", "❤\ufe0f"),
        ("Жук 東京", "Жук 東京"),
    ],
)
def test_punctuation_gets_its_plain_form_and_nothing_else_changes(before: str, after: str) -> None:
    assert after == transliterate(before, "punctuation")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("éèàùìòÉÇñöäüåøæß", "éèàùìòÉÇñöäüåøæß"),
        ("çêëîïôûÿáíóúâãõ", "ceeiiouyaiouaao"),
        ("ÀÈÊŸÁ", "AEEYA"),
        ("œuf Œuvre", "oeuf Oeuvre"),
        ("Łódź, Đorđe, İstanbul, ışık", "Lodz, Dorde, Istanbul, isik"),
        ("e\u0301 a\u0300 n\u0303 e\u0302 a\u0301", "é à ñ e a"),
        ("n°5, 20°, 5µg, 5㎍", "no5, 20o, 5ug, 5ug"),
        ("3×2 ≠ 5", "3x2 <> 5"),
        ("Brand™ Other®", "Brand(TM) Other(R)"),
        ("m² ① ㎏", "m2 1 kg"),
        ("Γειά σου, Αθήνα", "ΓEIA ΣOY, AΘHNA"),
        ("Привет", "Privet"),
        ("東京", "DongJing"),
        ("Hi 😀!", "Hi !"),
        ("👨\u200d👩\u200d👧 🇫🇷 ❤\ufe0f 👍🏽", "   "),
        ("1\ufe0f\u20e3", "1"),
        ("`quoted´", "'quoted'"),
        ("null\x00 esc\x1b del\x7f", "null esc del"),
        ("half\ud83d", "half"),
        ("€ [x] {y} ~^\\|", "€ [x] {y} ~^\\|"),
    ],
)
def test_full_keeps_what_gsm_has_and_spells_the_rest(before: str, after: str) -> None:
    assert after == transliterate(before, "full")


@pytest.mark.parametrize("text", ["", "ç", "\u2019", "😀"])
def test_none_changes_nothing(text: str) -> None:
    assert text == transliterate(text, "none")
    assert [] == transliteration_changes(text, "none")


@pytest.mark.parametrize("level", LEVELS)
def test_a_gsm_text_comes_back_as_the_same_object(level: str) -> None:
    text = "".join(sorted(GSM_CHARACTERS))

    assert text is transliterate(text, level)


@pytest.mark.parametrize("wrong", ["", "FULL", "ascii"])
def test_an_unknown_level_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="is not a valid Transliteration"):
        transliterate("a", wrong)
    with pytest.raises(ValueError, match="is not a valid Transliteration"):
        transliteration_changes("a", wrong)


def test_every_code_point_becomes_gsm_with_full() -> None:
    """All of the first planes' alphabets, one in 13 of the rest (mostly ideographs)."""
    for char in every_character()[:0x3400] + every_character()[0x3400::13]:
        assert GSM_CHARACTERS.issuperset(transliterate(char, "full")), hex(ord(char))


def test_an_accented_letter_becomes_its_base_as_unicode_has_it() -> None:
    """The rule as Unicode's decomposition states it, for all letters built on a Latin one."""
    seen = 0
    for char in every_character():
        composed = unicodedata.normalize("NFC", char)
        if composed in GSM_CHARACTERS or char in PUNCTUATION or not char.isalpha():
            continue
        base, *marks = list(unicodedata.normalize("NFD", char))
        if base.isascii() and base.isalpha() and marks:
            assert base == transliterate(char, "full"), hex(ord(char))
            seen += 1

    assert 450 < seen


def test_the_table_holds_no_gsm_character_and_only_gsm_stands_in() -> None:
    assert set() == GSM_CHARACTERS & set(PUNCTUATION)
    assert all(GSM_CHARACTERS.issuperset(plain) for plain in PUNCTUATION.values())
    assert all(1 == len(char) for char in PUNCTUATION)
    assert 180 < len(PUNCTUATION)


def test_the_table_takes_no_accent_and_no_letter_away() -> None:
    """Letters in it are full-width ASCII and the modifiers used as quotes."""
    letters = {char for char in PUNCTUATION if unicodedata.category(char) in {"Lu", "Ll", "Lo"}}
    marks = {char for char in PUNCTUATION if unicodedata.category(char).startswith("M")}

    assert all("\uff21" <= char <= "\uff5a" for char in letters)
    assert set() == marks


def test_every_space_and_dash_of_unicode_is_in_the_table() -> None:
    spaces = {char for char in every_character() if unicodedata.category(char) == "Zs"}

    assert {" "} == spaces - set(PUNCTUATION)
    assert all(" " == PUNCTUATION[char] for char in spaces - {" "})
    assert all("-" == PUNCTUATION[chr(code)] for code in range(0x2010, 0x2016))


@pytest.mark.parametrize("char", FRACTIONS)
def test_a_fraction_has_the_value_it_had(char: str) -> None:
    upper, lower = transliterate(char, "punctuation").split("/")

    assert unicodedata.numeric(char) == pytest.approx(int(upper) / int(lower))
    assert f"7 {upper}/{lower}" == transliterate(f"7{char}", "full")


@settings(deadline=None)
@given(TEXT)
def test_full_always_fits_gsm(text: str) -> None:
    assert Encoding.GSM7 is encoding_of(transliterate(text, "full"))


@settings(deadline=None)
@given(TEXT, st.sampled_from(LEVELS))
def test_doing_it_twice_changes_nothing_more(text: str, level: str) -> None:
    once = transliterate(text, level)

    assert once == transliterate(once, level)


@settings(deadline=None)
@given(TEXT, st.sampled_from(LEVELS))
def test_the_changes_turn_the_text_into_the_result(text: str, level: str) -> None:
    result, done = "", 0
    for position, before, after in transliteration_changes(text, level):
        assert before == text[position : position + len(before)]
        assert before != after
        result += text[done:position] + after
        done = position + len(before)

    assert transliterate(text, level) == result + text[done:]


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Mn", "Cs"]), max_size=80))
def test_a_gsm_character_is_never_changed(text: str) -> None:
    changed = {position for position, _, _ in transliteration_changes(text, "full")}

    assert changed <= {position for position, _ in non_gsm_characters(text)}
