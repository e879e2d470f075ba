"""What replies mean, in many spellings and languages."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.delivery.keywords import (
    Action,
    Keywords,
    KeywordsFile,
    OptOutScope,
    Understood,
    normalise,
    read_keywords,
    understand,
)

KEYWORDS = Keywords.of()
STOPS = KEYWORDS.words_of(Action.OPT_OUT)
STARTS = KEYWORDS.words_of(Action.OPT_IN)

stops = st.sampled_from(STOPS)
noise = st.text(st.sampled_from(" .,!?…«»\"'*_-()\n\t\u200b\ufe0f🛑😡"), max_size=5)


def action_of(text: str, keywords: Keywords = KEYWORDS) -> str:
    return understand(text, keywords).action.value


@pytest.mark.parametrize(
    "text",
    [
        "STOP",
        "stop",
        " Stop. ",
        "STOP!!!",
        "«Stop»",
        "*stop*",
        "S T O P",
        "s.t.o.p",
        "ＳＴＯＰ",
        "st\u200bop",
        "STOP 36111",
        "STOP36111",
        "Stop please",
        "stop\nSent from my phone",
        "Stopp",  # codespell:ignore stopp
        "arrêt",
        "ARRÊT !",
        "arr\u0065\u0302t",
        "Désabonnement svp",
        "Désinscrivez-moi",
        "abmelden",
        "Widerruf",
        "BAJA",
        "Dar de baja",
        "cancelar",
        "Annulla",
        "Sair",
        "uitschrijven",
        "avslutα".replace("α", "a"),
        "СТОП",
        "Стоп!",
        "退订",
        "수신거부",
        "opt-out",
        "Opt out now",
        "OptOut",
        "stop all",
        "revoke",
        "End",
        "unsubscribe me",
        "td",
        "🛑 STOP 🛑",
    ],
)
def test_an_opt_out_is_understood(text: str) -> None:
    assert "opt_out" == action_of(text)


@pytest.mark.parametrize("word", ["stop", "quit", "end", "revoke", "opt out", "cancel"])
def test_the_words_of_the_fcc_are_all_there(word: str) -> None:
    assert word in STOPS


AWS = "ARRET CANCEL END OPT-OUT OPTOUT QUIT REMOVE STOP TD UNSUBSCRIBE"


@pytest.mark.parametrize("word", AWS.split())
def test_the_words_of_aws_are_all_there(word: str) -> None:
    assert "opt_out" == action_of(word)


@pytest.mark.parametrize("text", ["START", "start.", "Unstop", "subscribe", "opt-in", "СТАРТ"])
def test_an_opt_in_is_the_whole_text(text: str) -> None:
    assert "opt_in" == action_of(text)
    assert "review" == action_of(f"{text} something")


@pytest.mark.parametrize(
    "text",
    [
        "please stop",
        "je veux arrêter",
        "sotp",
        "stoo",
        "tsop",
        "sstop",
        "unsubscrbe",
        "START STOP",
        "start sending more",
        "don't stop",
        "non-stop",
        "please take me off",
        "help me, I want to cancel",
    ],
)
def test_what_only_sounds_like_one_is_for_a_person(text: str) -> None:
    assert "review" == action_of(text)


@pytest.mark.parametrize("text", ["HELP", "help!", "Hilfe", "info please", "AIDE"])
def test_a_call_for_help_is_kept_as_one(text: str) -> None:
    assert "help" == action_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "…",
        "🛑",
        "Thanks!",
        "Yes",
        "NO",
        "OK see you at the end of the day",
        "12345",
        "\x00",
    ],
)
def test_other_texts_say_nothing(text: str) -> None:
    assert Understood(action=Action.NONE) == understand(text, KEYWORDS)


def test_the_keyword_that_was_found_is_told() -> None:
    assert "opt out" == understand("Opt-out, now", KEYWORDS).keyword
    assert "stop" == understand("sotp", KEYWORDS).keyword
    assert "stop" == understand("STOP36111", KEYWORDS).keyword


@given(word=stops, before=noise, after=noise)
def test_noise_around_a_keyword_changes_nothing(word: str, before: str, after: str) -> None:
    assert "opt_out" == action_of(f"{before}{word}{after}")


@given(word=stops, rest=st.text(max_size=60))
def test_an_opt_out_at_the_beginning_wins_over_all_that_follows(word: str, rest: str) -> None:
    whole = normalise(f"{word}\n{rest}")
    if whole not in KEYWORDS.actions and whole.startswith(f"{word} "):
        assert "opt_out" == action_of(f"{word}\n{rest}")


@given(word=stops, marks=st.lists(st.sampled_from("\u0300\u0301\u0308\u0327"), max_size=3))
def test_accents_and_capitals_change_nothing(word: str, marks: list[str]) -> None:
    marked = word[:1] + "".join(marks) + word[1:]

    assert "opt_out" == action_of(marked)
    assert "opt_out" == action_of(unicodedata.normalize("NFC", marked).upper())


@given(text=st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)

    assert once == normalise(once)
    assert once == " ".join(once.split())
    assert all(char.isalnum() or char == " " for char in once)


@given(text=st.text(max_size=200))
def test_anything_can_be_understood(text: str) -> None:
    found = understand(text, KEYWORDS)

    assert (found.keyword == "") == (found.action is Action.NONE)
    assert not found.keyword or found.keyword in KEYWORDS.actions


@given(text=st.text(max_size=40))
def test_nobody_is_opted_in_by_more_than_the_word(text: str) -> None:
    if understand(text, KEYWORDS).action is Action.OPT_IN:
        assert normalise(text) in STARTS


def test_a_very_long_text_is_understood_at_once() -> None:
    assert "opt_out" == action_of("stop " + "x" * 1_000_000)
    assert "" == action_of("\u0301" * 1_000_000)


def test_shipped_words_are_in_one_list_each() -> None:
    assert not set(STOPS) & set(STARTS)
    assert "stop" in STOPS


def test_an_installation_adds_words_and_leaves_some_out() -> None:
    own, problems = read_keywords(
        "opt_out: [Halt, 'Nix mehr']\nopt_in: [LOS]\nhelp: [ETHNIKI]\n"
        "leave_out: [END]\nopt_out_scope: sender\n"
    )
    keywords = Keywords.of(own)

    assert [] == problems
    assert OptOutScope.SENDER is keywords.scope
    assert ["opt_out", "opt_out", "opt_out", "opt_in", "help", ""] == [
        action_of(text, keywords)
        for text in ("halt!", "nix mehr bitte", "STOP", "los", "ethniki", "end")
    ]


def test_an_installation_may_move_a_word_but_not_stop() -> None:
    own, _ = read_keywords("help: [CANCEL]\n")

    assert "help" == action_of("cancel", Keywords.of(own))
    for text in ("leave_out: [Stop]", "opt_in: ['s.t.o.p']", "help: [STOP]"):
        own, (problem,) = read_keywords(text)
        assert own is None
        assert "STOP is an opt-out everywhere" in str(problem)


def test_all_problems_of_the_file_are_told_with_their_lines() -> None:
    own, problems = read_keywords(
        "opt_out:\n  - HALT\n  - '!!'\nopt_in:\n  - halt\nleave_out:\n  - QIUT\n", file="k.yaml"
    )

    assert own is None
    assert [
        "k.yaml:3: opt_out.1: has no letter and no digit",
        "k.yaml:5: opt_in.0: is in opt_out too (keep one)",
        "k.yaml:7: leave_out.0: 'QIUT' is not shipped (did you mean 'quit'?)",
    ] == [str(problem) for problem in problems]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("- STOP", "must say something of keywords"),
        ("opt_out: [no]", "YAML reads no as false"),
        ("opt_out_scope: senders", "did you mean 'sender'?"),
        ("opt_out: STOP", "opt_out: "),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, told: str) -> None:
    own, problems = read_keywords(text)

    assert own is None
    assert told in str(problems[0])


def test_a_file_that_says_nothing_changes_nothing() -> None:
    assert Keywords.of(KeywordsFile()) == KEYWORDS
