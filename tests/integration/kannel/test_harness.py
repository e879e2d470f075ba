"""Reading what fakesmsc prints, without Kannel; and what a missing program means."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kannel_harness import ReceivedSms, read_messages
from tests.requirements import find_program, require_program


def printed(*entries: bytes) -> bytes:
    head = b"2026-11-22 11:14:03 [7116] [0] "
    noise = [head + b"INFO: fakesmsc starting", head + b"DEBUG: Connecting to <127.0.0.1>"]
    lines = [
        head + b"DEBUG: Got message %d: <%s>" % (number, entry)
        for number, entry in enumerate(entries, 1)
    ]
    return b"\n".join([*noise, *lines]) + b"\n"


def sms(text: str, *, encoding: str = "gsm7", parts: int = 1) -> ReceivedSms:
    return ReceivedSms(sender="SHOP", to="+336", text=text, encoding=encoding, parts=parts)


def read(*entries: bytes) -> list[tuple[str, str, int]]:
    messages = read_messages(printed(*(b"SHOP +33612345678 " + each for each in entries)))
    return [(each.text, each.encoding, each.parts) for each in messages]


def test_a_plain_text_is_read_as_it_is() -> None:
    assert [("  Été > 5€ %41+ ", "gsm7", 1)] == read("text   Été > 5€ %41+ ".encode())


def test_lines_of_one_text_are_joined() -> None:
    output = printed(b"SHOP +33612345678 text one", b"two", b"", b"SHOP +33612345678 text next")

    assert ["one\ntwo\n", "next"] == [each.text for each in read_messages(output)]


def test_a_sender_may_hold_blanks() -> None:
    (message,) = read_messages(printed(b"My Shop +33612345678 text x"))

    assert ("My Shop", "+33612345678") == (message.sender, message.to)


def test_ucs2_is_decoded() -> None:
    assert [("😀 é\n ", "ucs2", 1)] == read(b"ucs-2 %D8%3D%DE%00%00+%00%E9%00%0A%00+")


def test_parts_are_joined_in_their_order_whatever_comes_between() -> None:
    first = b"udh %05%00%03%08%02%01 data " + b"a" * 153
    second = b"udh %05%00%03%08%02%02 data +end"

    assert [("text between", "gsm7", 1), ("a" * 153 + " end", "gsm7", 2)] == read(
        second, b"text text between", first
    )


def test_a_character_cut_through_is_whole_again() -> None:
    first = b"udh %05%00%03%0B%02%01 data " + b"%00a" * 66 + b"%D8%3D"
    second = b"udh %05%00%03%0B%02%02 data %DE%00"

    assert [("a" * 66 + "😀", "ucs2", 2)] == read(first, second)


def test_a_reference_may_be_used_again() -> None:
    one = b"udh %05%00%03%08%02%01 data " + b"a" * 153
    two = b"udh %05%00%03%08%02%02 data b"

    assert [("a" * 153 + "b", "gsm7", 2)] * 2 == read(one, two, one, two)


def test_a_text_that_never_became_whole_is_not_a_message() -> None:
    assert [] == read(b"udh %05%00%03%08%02%01 data " + b"a" * 153)


def test_a_line_that_is_still_being_written_is_not_read() -> None:
    output = printed(b"SHOP +33612345678 text one") + b"2026-11-22 11:14:03 [7116] [0] DEBUG: Got"

    assert ["one"] == [each.text for each in read_messages(output)]


def test_no_phone_and_no_text_shows_in_a_repr() -> None:
    assert "+336" not in repr(sms("secret"))
    assert "secret" not in repr(sms("secret"))


def test_a_missing_program_skips_with_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SMSFLOW_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="the program no-such-thing is not on this"):
        require_program("no-such-thing")


def test_a_missing_program_fails_where_nothing_may_be_skipped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SMSFLOW_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="the program no-such-thing is not on this"):
        require_program("no-such-thing")


def test_a_program_that_is_there_is_found() -> None:
    assert Path("/bin/sh").resolve() == (find_program("sh") or Path()).resolve()
