from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.audience.rules.fold import (
    EXPANSIONS,
    LETTERS,
    PAIRS,
    REMOVED,
    fold,
    table_for,
    whole_table,
)
from smsflow_provider.core.audience.rules.plan import Fold

_EVERY = "".join(
    chr(number) for number in range(sys.maxunicode + 1) if not 0xD800 <= number <= 0xDFFF
)
_TEXTS = st.text(alphabet=st.sampled_from(LETTERS + REMOVED[Fold.BOTH][:20] + "09 -'"), max_size=8)


@pytest.mark.parametrize(
    ("text", "case", "accents", "both"),
    [
        ("Saint-Étienne", "saint-étienne", "Saint-Etienne", "saint-etienne"),
        ("STRASSE", "strasse", "STRASSE", "strasse"),
        ("Straße ẞ", "straße ß", "Strasse SS", "strasse ss"),
        ("Œuf Æon", "œuf æon", "OEuf AEon", "oeuf aeon"),
        ("Łódź Đà Ørn", "łódź đà ørn", "Lodz Da Orn", "lodz da orn"),
        ("İstanbul ISI ısı", "istanbul isi ısı", "Istanbul ISI isi", "istanbul isi isi"),
        ("ΝΊΚΟΣ Νίκος", "νίκοσ νίκοσ", "ΝΙΚΟΣ Νικος", "νικοσ νικοσ"),
        ("Йод Ёж", "йод ёж", "Иод Еж", "иод еж"),
        ("Việt Đặng", "việt đặng", "Viet Dang", "viet dang"),
        ("e\u0301 E\u0301", "e\u0301 e\u0301", "e E", "e e"),
        ("Þór Ŋ ǅ", "þór ŋ ǆ", "THor Ŋ ǅ", "thor ŋ ǆ"),
        ("日本 %_'\\ \n", "日本 %_'\\ \n", "日本 %_'\\ \n", "日本 %_'\\ \n"),
    ],
)
def test_texts_fold_as_people_expect(text: str, case: str, accents: str, both: str) -> None:
    found = [fold(text, kind) for kind in (Fold.NOTHING, Fold.CASE, Fold.ACCENTS, Fold.BOTH)]

    assert [text, case, accents, both] == found


@pytest.mark.parametrize("kind", Fold)
def test_folding_twice_changes_nothing_whatever_the_character(kind: Fold) -> None:
    once = fold(_EVERY, kind)

    assert once == fold(once, kind)


@pytest.mark.parametrize("kind", Fold)
def test_the_parts_of_a_table_may_be_applied_in_any_order(kind: Fold) -> None:
    """SQL does them one after the other, where Python does all in one pass."""
    parts = [*PAIRS[kind], *EXPANSIONS[kind], *REMOVED[kind]]
    images = [*PAIRS[kind].values(), *EXPANSIONS[kind].values()]

    assert len(parts) == len(set(parts))
    assert not set("".join(images)) & set(parts)
    assert all(len(new) == 1 for new in PAIRS[kind].values())
    assert all(len(new) == 2 for new in EXPANSIONS[kind].values())


def test_small_letters_are_those_of_unicode() -> None:
    """Only the dotted capital I has no small letter of one character."""
    ours = {letter: fold(letter, Fold.CASE) for letter in LETTERS}
    theirs = {letter: letter.lower() for letter in LETTERS}
    odd = {letter for letter in LETTERS if ours[letter] != theirs[letter]}

    assert "i" == ours["İ"]
    assert all(ours[letter] == letter.casefold() for letter in odd - {"İ"})


def test_a_text_folds_to_the_same_however_it_is_composed() -> None:
    whole = fold(unicodedata.normalize("NFC", LETTERS), Fold.BOTH)

    assert whole == fold(unicodedata.normalize("NFD", LETTERS), Fold.BOTH)


@given(column=_TEXTS, text=_TEXTS, kind=st.sampled_from(Fold))
def test_the_part_of_the_table_for_some_texts_decides_as_the_whole_table(
    column: str, text: str, kind: Fold
) -> None:
    wanted = fold(text, kind)
    part = table_for(kind, [wanted])
    partly = "".join(part.get(character, character) for character in column)
    wholly = fold(column, kind)

    assert (wholly == wanted) == (partly == wanted)
    assert (wanted in wholly) == (wanted in partly)
    assert wholly.startswith(wanted) == partly.startswith(wanted)
    assert len(wholly) == len(partly)


def test_the_whole_table_is_what_fold_applies() -> None:
    assert fold("Ǽ\u0301", Fold.BOTH) == "ae"
    assert {} == whole_table(Fold.NOTHING)
    assert "ae" == whole_table(Fold.BOTH)["Ǽ"]
