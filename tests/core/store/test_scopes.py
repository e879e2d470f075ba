from __future__ import annotations

import pytest

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.store.scopes import programme_scope, read_scope, sender_scope


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        ("", ""),
        ("  ", ""),
        ("sender:ACME", "sender:ACME"),
        ("sender:acme", "sender:ACME"),
        (" SENDER : Acme Shop ", "sender:ACME SHOP"),
        ("sender:+36111", "sender:36111"),
        ("sender:36111", "sender:36111"),
        ("programme:Loyalty", "programme:loyalty"),
    ],
)
def test_a_list_is_named_as_a_person_may_write_it(text: str, scope: str) -> None:
    assert scope == read_scope(text)
    assert scope == read_scope(scope)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("senders:ACME", "did you mean 'sender:'"),
        ("program:loyalty", "did you mean 'programme:'"),
        ("sender:", "needs the name of the sender"),
        ("programme: ", "needs the name of the programme"),
        ("shop:x", "unknown kind"),
        (":ACME", "unknown kind"),
        ("marketing", "for a sender or for a programme"),
    ],
)
def test_a_list_nobody_would_ask_is_refused(text: str, told: str) -> None:
    """An opt-out on such a list would be an opt-out from nothing."""
    with pytest.raises(ConfigError, match=told):
        read_scope(text)


def test_one_sender_has_one_list_however_it_is_written() -> None:
    assert 1 == len({sender_scope(one) for one in ("ACME", "acme", " Acme ")})
    assert sender_scope("+33612") == sender_scope("33612")
    assert programme_scope("VIP") == programme_scope("vip")
