"""A gateway described by settings: what they say of requests, answers and calls."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import (
    ConfigError,
    GatewayError,
    MaybeSentError,
    NotSentError,
    RefusedError,
    UnknownSettingError,
)
from smsflow_provider.core.gateways.base import Checkable, Feature, HttpCallback, HttpResponse
from smsflow_provider.core.gateways.generic import GenericDialect
from smsflow_provider.core.gateways.registry import make_dialect, read_connection
from smsflow_provider.core.gateways.settings import ConnectionFields
from smsflow_provider.core.gateways.status import is_hopeless
from smsflow_provider.core.model import Encoding, OutcomeKind, ReceiptKind
from smsflow_provider.testing.examples import example_message

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
BODY = {
    "to": "{{ to }}",
    "from": "{{ sender }}",
    "text": "{{ text }}",
    "unicode": "{{ is_unicode }}",
    "report": "{{ callback_url }}",
}
#: The least that describes a gateway.
EXTRA: dict[str, Any] = {"path": "/send", "body": BODY, "accepted_when": "json.ok"}
BATCH: dict[str, Any] = {
    "path": "/send",
    "max_batch": 10,
    "body": {"key": "{{ password }}", "all": {"each_message": BODY | {"id": "{{ id }}"}}},
    "items": "json.all",
    "accepted_when": "item.ok",
    "error_code": "item.code",
    "refused_codes": "no",
    "temporary_codes": "later",
}


def make(**extra: Any) -> GenericDialect:
    fields = ConnectionFields(
        host="gate.example", login="shop/1", password="hunter2", extra=EXTRA | extra
    )
    dialect = make_dialect("sms_http", read_connection("sms_http", fields), now=lambda: NOON)
    assert isinstance(dialect, GenericDialect)
    return dialect


def make_batch(**extra: Any) -> GenericDialect:
    return make(**BATCH | extra)


def problems_of(**extra: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        make(**extra)
    problems: list[str] = caught.value.facts["problems"]  # type: ignore[assignment]
    assert "hunter2" not in str(caught.value)
    return problems


def document_of(dialect: GenericDialect, **message: Any) -> Any:
    return json.loads(dialect.write([example_message(**message)]).body)


def answer(status: int = 200, **document: Any) -> HttpResponse:
    return HttpResponse(status=status, body=json.dumps(document).encode())


def call(message_id: str = "1-1-1", **fields: Any) -> HttpCallback:
    return HttpCallback(message_id=message_id, body=json.dumps(fields).encode())


# Requests


def test_a_request_goes_to_the_host_of_the_connection_over_https() -> None:
    request = make().write([example_message()])

    assert ("POST", "https://gate.example/send") == (request.method, request.url)
    assert {"Content-Type": "application/json"} == dict(request.headers)


def test_values_keep_their_types_and_what_is_none_is_left_out() -> None:
    extra = {
        "body": BODY
        | {"parts": "{{ parts }}", "ttl": "{{ validity_s }}", "x": {"y": "{{ expires_at }}"}}
    }

    assert {
        "to": "+447700900001",
        "text": "Example 1",
        "unicode": False,
        "parts": 1,
    } == document_of(make(**extra), sender="")
    soon = NOON + timedelta(minutes=5)
    full = document_of(make(**extra), expires_at=soon, callback_url="https://x/?m=1")
    assert (300, "https://x/?m=1", "smsflow") == (full["ttl"], full["report"], full["from"])
    assert {"y": "2026-11-22T12:05:00+00:00"} == full["x"]


def test_a_message_whose_time_is_over_still_has_a_second() -> None:
    dialect = make(body=BODY | {"ttl": "{{ validity_s }}"})

    assert 1 == document_of(dialect, expires_at=NOON - timedelta(hours=1))["ttl"]


@given(text=st.text(st.characters(codec="utf-8"), min_size=1), sender=st.text("abc +\"'<&"))
def test_no_text_can_break_out_of_its_place(text: str, sender: str) -> None:
    message = example_message(body=text, sender=sender)
    as_json = json.loads(JSON_DIALECT.write([message]).body)
    as_form = parse_qs(FORM_DIALECT.write([message]).body.decode(), keep_blank_values=True)

    assert (text, sender or None) == (as_json["text"], as_json.get("from"))
    assert ([text], {"to", "text", "unicode"}) == (as_form["text"], set(as_form) - {"from"})


def test_xml_is_escaped() -> None:
    body = "<s from='{{ sender }}' enc='{{ encoding }}'><to>{{ to }}</to>{{ text }}</s>"
    request = make(content_type="xml", body=body).write([example_message(body="a<b>&c")])

    assert b"<to>+447700900001</to>a&lt;b&gt;&amp;c</s>" in request.body
    assert "application/xml; charset=UTF-8" == request.headers["Content-Type"]


def test_a_plain_text_may_go_with_the_rest_in_headers() -> None:
    headers = {"X-To": "{{ to }}", "X-From": "{{ sender }}", "X-Enc": "{{ encoding }}"}
    request = make(content_type="text", headers=headers, body="{{ text }}").write(
        [example_message(body="Été\n", sender="")]
    )

    assert "Été\n".encode() == request.body
    assert {"X-To", "X-Enc", "Content-Type"} == set(request.headers)


def test_a_header_may_say_the_content_type_itself() -> None:
    headers = {"content-type": "application/vnd.sms+json"}

    assert headers == dict(make(headers=headers).write([example_message()]).headers)


def test_a_login_in_the_path_is_escaped() -> None:
    url = make(path="/v1/{{ username }}/sms?format=json").write([example_message()]).url

    assert "https://gate.example/v1/shop%2F1/sms?format=json" == url


def test_a_header_is_never_broken_by_what_it_holds() -> None:
    dialect = make(headers={"X-From": "{{ sender }}"})
    with pytest.raises(RefusedError) as caught:
        dialect.write([example_message(sender="a\r\nX-Evil: 1")])

    assert "bad_header" == caught.value.facts["code"]


@pytest.mark.parametrize("content_type", ["json", "form"])
def test_a_text_that_is_no_unicode_is_refused_and_stops_nobody_else(content_type: str) -> None:
    with pytest.raises(RefusedError) as caught:
        make(content_type=content_type).write([example_message(body="\ud800")])

    assert "bad_text" == caught.value.facts["code"]
    assert not is_hopeless("bad_text")


def test_a_template_that_fails_on_a_message_stops_the_sender_instead_of_failing_everybody() -> None:
    dialect = make(body=BODY | {"n": "{{ 1 // (parts - 3) }}"})
    with pytest.raises(RefusedError) as caught:
        dialect.write([example_message(parts=3)])

    assert is_hopeless(str(caught.value.facts["code"]))
    assert caught.value.__context__ is None


def test_the_test_of_a_connection_carries_the_login_and_nothing_of_a_message() -> None:
    headers = {"Authorization": "Bearer {{ password }}", "X-To": "{{ to }}"}
    dialect = make(check_path="/account", headers=headers)
    assert isinstance(dialect, Checkable)
    request = dialect.write_check()

    assert ("GET", "https://gate.example/account", b"") == (
        request.method,
        request.url,
        request.body,
    )
    assert {"Authorization": "Bearer hunter2"} == dict(request.headers)
    assert "" == dialect.read_check(HttpResponse(status=200))
    assert "401" in dialect.read_check(HttpResponse(status=401))
    assert not isinstance(make(), Checkable)


# What is wrong with a description


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"path": "/send?to={{ to }}"}, "path: uses to: a URL ends up in logs"),
        ({"path": "/{{ password }}/{{ text }}"}, "path: uses password, text"),
        ({"path": "/{{ callback_url }}"}, "path: uses callback_url"),
        ({"path": "send"}, "path: must begin with /"),
        ({"path": "/{{ usernam }}"}, "meant is perhaps 'username'"),
        ({"body": BODY | {"text": "{{ txt }}"}}, "body.text: unknown name 'txt'"),
        ({"body": BODY | {"text": "Hi"}}, "body: says no {{ text }}"),
        ({"body": BODY | {"to": "1"}}, "body: says neither {{ to }} nor {{ to_digits }}"),
        ({"body": BODY | {"from": "x"}}, "set fixes_sender"),
        ({"fixes_sender": True}, "but a template says {{ sender }}"),
        ({"body": BODY | {"unicode": True}}, "set chooses_encoding"),
        ({"body": "{"}, "body: is not JSON"),
        ({"body": "[1]"}, "body: must be a JSON object"),
        ({"body": BODY | {"x": "{{ 1 // 0 }}"}}, "body.x: cannot be computed: ZeroDivisionError"),
        ({"body": BODY | {"x": "{{ sender | word | default(1) + 1 }}"}}, "with a sender"),
        (
            {"content_type": "form", "body": BODY | {"x": {"y": 1}}},
            "a form holds texts only, not x",
        ),
        ({"headers": '["a"]'}, "headers: must be a JSON object"),
        ({"headers": {"Host": "elsewhere"}}, "headers.Host: is set by the connection"),
        ({"headers": {"a b": "c"}}, "a name holds characters"),
        ({"headers": {"A": "c", "a": "d"}}, "headers.A: is there twice"),
        ({"headers": {"A": 1}}, "headers.A: must be a text"),
        ({"headers": {"A": "{{ x }}"}}, "headers.A: unknown name 'x'"),
        ({"accepted_when": ""}, "accepted_when: is missing"),
        ({"accepted_when": "jsn.ok"}, "accepted_when: unknown name 'jsn', meant is perhaps 'json'"),
        ({"accepted_when": "item.ok"}, "accepted_when: unknown name 'item'"),
        ({"items": "json"}, "items: is for batches"),
        ({"max_batch": 2}, "items: is missing"),
        ({"max_batch": 2, "items": "json"}, "what is of a message stands in each_message"),
        ({"refused_codes": "1,2", "throttled_codes": "2"}, "the code 2 is in two lists"),
        ({"refused_codes": "no such!"}, "a code has up to 48"),
        ({"receipt_map": {"a": "deliverd"}}, "receipt_map.a: must be one of"),
        ({"receipt_map": "[]"}, "receipt_map: must be a JSON object"),
        ({"receipt_map": {"a": "ignore"}}, "receipt_status: is missing"),
        ({"receipt_status": "fields.a"}, "receipt_map: is missing"),
        ({"reply_from": "fields.a"}, "reply_text: is missing"),
        ({"reply_text": "fields.a"}, "reply_from: is missing"),
        ({"method": "GET"}, "method: must be one of"),
        ({"default_class": "throttled"}, "default_class: must be one of"),
    ],
)
def test_what_is_wrong_is_told_when_the_connection_is_read(
    extra: dict[str, Any], words: str
) -> None:
    problems = problems_of(**extra)

    assert any(words in problem for problem in problems), problems


def test_all_problems_are_told_at_once() -> None:
    problems = problems_of(
        path="/{{ to }}", headers="{", accepted_when="(", max_batch=0, receipt_code="{{ x }}"
    )

    for name in ("path", "headers", "accepted_when", "max_batch", "receipt_code"):
        assert any(problem.startswith(f"{name}: ") for problem in problems), name


def test_an_unknown_setting_is_named_with_its_near_name() -> None:
    with pytest.raises(UnknownSettingError) as caught:
        make(acepted_when="x")

    assert {"acepted_when": ["accepted_when"]} == caught.value.facts["near"]


def test_json_may_be_given_as_text_as_a_form_gives_it() -> None:
    assert make(body=json.dumps(BODY)).write([example_message()]) == make().write(
        [example_message()]
    )


def test_settings_show_neither_password_nor_headers() -> None:
    fields = ConnectionFields(
        host="h", password="hunter2", extra=EXTRA | {"headers": {"X": "pasted-key"}}
    )
    shown = repr(read_connection("sms_http", fields))

    assert "hunter2" not in shown
    assert "pasted-key" not in shown


# Answers


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (answer(ok=True), "accepted "),
        (answer(202, ok=True), "accepted "),
        (answer(ok="true"), "unknown garbage"),
        (answer(ok=False), "unknown garbage"),
        (answer(ok=False, code="no"), "failed no"),
        (answer(ok=False, code=7), "not_sent 7"),
        (answer(ok=False, code="busy"), "not_sent busy"),
        (answer(ok=False, code="key"), "failed misconfigured:key"),
        (answer(ok=False, code="new"), "unknown new"),
        (answer(ok=False, code="a whole sentence"), "unknown garbage"),
        (answer(ok=False, code="+447700900001"), "unknown garbage"),
        (answer(ok=False, code="447700900001"), "unknown garbage"),
        (answer(ok=False, code={"a": 1}), "unknown garbage"),
        (answer(400, code="no"), "failed no"),
        (answer(400, code="busy"), "not_sent busy"),
        (answer(400, code="new"), "failed new"),
        (answer(400), "failed http_400"),
        (answer(401, code="new"), "failed http_401"),
        (answer(401, code="no"), "failed no"),
        (answer(409, code="new"), "unknown http_409"),
        (answer(429), "not_sent http_429"),
        (answer(500, ok=True), "unknown http_500"),
        (answer(503, code="busy"), "not_sent busy"),
        (answer(302, ok=True, code="busy"), "unknown http_302"),
        (HttpResponse(status=200, body=b"\xff["), "unknown garbage"),
        (HttpResponse(status=200, body=b"[" * 100_000), "unknown garbage"),
    ],
)
def test_an_answer_becomes_an_outcome(response: HttpResponse, expected: str) -> None:
    dialect = make(
        error_code="json.code",
        refused_codes="no",
        temporary_codes="7",
        throttled_codes="busy",
        misconfigured_codes="key",
    )

    assert expected == outcome_of(dialect, response)


def outcome_of(dialect: GenericDialect, response: HttpResponse) -> str:
    kinds = {NotSentError: "not_sent", MaybeSentError: "unknown", RefusedError: "failed"}
    try:
        (outcome,) = dialect.read([example_message()], response)
    except GatewayError as error:
        return f"{kinds[type(error)]} {error.facts['code']}"
    return f"{outcome.kind.value} {outcome.code}"


def test_a_temporary_code_is_about_this_message_and_a_throttled_one_about_all() -> None:
    dialect = make(error_code="json.code", temporary_codes="7", throttled_codes="8")
    found = {}
    for code in (7, 8):
        response = HttpResponse(
            status=200, headers={"Retry-After": "4"}, body=json.dumps({"code": code}).encode()
        )
        with pytest.raises(NotSentError) as caught:
            dialect.read([example_message()], response)
        found[code] = (caught.value.facts.get("is_own", False), caught.value.facts["retry_after_s"])

    assert {7: (True, 4.0), 8: (False, 4.0)} == found


def test_any_other_code_may_be_a_refusal_where_the_settings_say_so() -> None:
    dialect = make(error_code="json.code", default_class="refused")

    assert "failed new" == outcome_of(dialect, answer(code="new"))
    assert "unknown garbage" == outcome_of(dialect, answer(nothing=1))


def test_the_gateways_own_id_is_kept_unless_it_is_the_phone() -> None:
    dialect = make(reference="json.id")
    refs = [
        dialect.read([example_message()], answer(ok=True, id=given))[0].gateway_ref
        for given in ("a-1", 12, "447700900001", "two words", None)
    ]

    assert ["a-1", "12", "", "", ""] == refs


def test_headers_of_an_answer_are_found_by_their_names_in_small_letters() -> None:
    dialect = make(accepted_when="headers['x-result'] == 'ok' and text == 'fine'")
    response = HttpResponse(status=200, headers={"X-Result": "ok"}, body=b"fine")

    assert "accepted " == outcome_of(dialect, response)


@given(body=st.binary(max_size=200), status=st.integers(100, 599))
def test_no_answer_is_accepted_by_accident_and_none_breaks_the_sender(
    body: bytes, status: int
) -> None:
    expected = ("not_sent ", "unknown ", "failed ")

    assert outcome_of(JSON_DIALECT, HttpResponse(status=status, body=body)).startswith(expected)


# Batches


def messages() -> list[Any]:
    return [example_message(number) for number in (1, 2, 3)]


def test_a_batch_stands_where_the_body_says() -> None:
    document = json.loads(make_batch().write(messages()).body)

    assert "hunter2" == document["key"]
    assert ["1-1-1", "1-1-2", "1-1-3"] == [each["id"] for each in document["all"]]
    assert 10 == make_batch().max_batch


def test_items_are_paired_by_place_or_by_our_id() -> None:
    rows: list[dict[str, object]] = [{"ok": True}, {"code": "no"}, {"code": "later"}]
    by_place = make_batch().read(messages(), answer(all=rows))
    named = [row | {"id": f"1-1-{place}"} for place, row in enumerate(rows, start=1)]
    by_id = make_batch(item_id="item.id").read(messages(), answer(all=named[::-1]))

    kinds = [OutcomeKind.ACCEPTED, OutcomeKind.FAILED, OutcomeKind.NOT_SENT]
    assert kinds == [each.kind for each in by_place]
    assert [False, False, True] == [each.is_own for each in by_place]
    assert by_place == by_id


def test_a_message_the_answer_does_not_name_is_unknown() -> None:
    found = make_batch(item_id="item.id").read(
        messages(), answer(all=[{"id": "1-1-2", "ok": True}, {"id": "9-9-9", "ok": True}, 5])
    )

    assert ["unknown", "accepted", "unknown"] == [each.kind.value for each in found]


def test_a_message_that_the_answer_names_twice_is_in_doubt_where_it_disagrees() -> None:
    """Taken and throttled at once: sent again it would be there twice."""
    rows = [
        {"id": "1-1-1", "ok": True},
        {"id": "1-1-1", "code": "later"},
        {"id": "1-1-2", "ok": True},
        {"id": "1-1-2", "ok": True},
        {"id": "1-1-3", "code": "later"},
    ]
    found = make_batch(item_id="item.id").read(messages(), answer(all=rows))

    assert ["unknown", "accepted", "not_sent"] == [each.kind.value for each in found]


@pytest.mark.parametrize("document", [{}, {"all": {}}, {"all": [{"ok": True}]}])
def test_an_answer_with_another_number_of_items_leaves_doubt(document: dict[str, Any]) -> None:
    with pytest.raises(MaybeSentError):
        make_batch().read(messages(), answer(**document))


def test_a_batch_must_say_where_its_messages_go() -> None:
    assert any(
        "says nowhere each_message" in each or "each_message" in each
        for each in problems_of(**BATCH | {"body": {"all": "x"}, "fixes_sender": True})
    )
    assert any(
        "stands in each_message" in each
        for each in problems_of(**BATCH | {"headers": {"X-To": "{{ to }}"}})
    )
    assert any(
        "needs a body of json" in each for each in problems_of(**BATCH | {"content_type": "form"})
    )


# Receipts and replies

RECEIPTS: dict[str, Any] = {
    "receipt_status": "fields.state",
    "receipt_map": {
        "DELIVRD": "delivered",
        "Lost": "undelivered",
        "sent": "accepted",
        "q": "ignore",
    },
    "receipt_code": "fields.code",
    "receipt_id": "fields.mine",
    "receipt_reference": "fields.id",
}


def test_a_receipt_is_read_from_json_a_form_or_the_query() -> None:
    dialect = make(**RECEIPTS)
    calls = [
        call(state="delivrd", code=12, id="g1"),
        HttpCallback(message_id="1-1-1", body=b"state=DELIVRD&code=12&id=g1"),
        HttpCallback(message_id="1-1-1", query={"state": "DELIVRD", "code": "12", "id": "g1"}),
    ]
    for each in calls:
        receipt = dialect.read_callback(each)
        assert receipt is not None
        assert ("1-1-1", ReceiptKind.DELIVERED) == (receipt.message_id, receipt.kind)
        assert ("12", "g1") == (receipt.code, receipt.gateway_ref)


def test_a_receipt_of_an_account_is_found_by_our_id_or_by_the_gateways() -> None:
    dialect = make(**RECEIPTS)
    ours = dialect.read_callback(call("", state="Lost", mine="2-1-7"))
    theirs = dialect.read_callback(call("", state="Lost", id="g9"))

    assert ours is not None
    assert theirs is not None
    assert ("2-1-7", "") == (ours.message_id, ours.gateway_ref)
    assert ("", "g9") == (theirs.message_id, theirs.gateway_ref)


@pytest.mark.parametrize(
    "given_call",
    [
        call(),
        call(state="new word"),
        call(state=True),
        call("", state="Lost"),
        call("", state="Lost", mine="not ours!"),
        call("1-1-1", state="Lost", mine="1-1-2"),
        HttpCallback(message_id="1-1-1", body=b"\xff\x00"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(given_call: HttpCallback) -> None:
    with pytest.raises(ValueError, match=r"."):
        make(**RECEIPTS).read_callback(given_call)


def test_words_that_say_nothing_new_are_left_out() -> None:
    dialect = make(**RECEIPTS)
    others = make(**RECEIPTS | {"receipt_map": {"a": "delivered", "*": "ignore"}})

    assert dialect.read_callback(call(state="Q")) is None
    assert others.read_callback(call(state="whatever")) is None


def test_a_code_of_a_receipt_is_never_free_text() -> None:
    for code in ("+44 7700 900001 is off", "447700900001", "x" * 49):
        receipt = make(**RECEIPTS).read_callback(call(state="Lost", code=code))

        assert receipt is not None
        assert "" == receipt.code


def test_a_reply_is_told_from_a_receipt() -> None:
    dialect = make(
        **RECEIPTS, reply_from="fields.who", reply_text="fields.says", reply_to="fields.to"
    )
    reply = dialect.read_reply(call("", who="+447700900123", says="", to="+447700900999"))

    assert reply is not None
    assert ("+447700900123", "", "+447700900999") == (reply.sender, reply.body, reply.recipient)
    assert dialect.read_reply(call(state="Lost")) is None
    with pytest.raises(ValueError, match="neither"):
        dialect.read_reply(call(nothing=1))


# What it can do


def test_features_follow_from_what_the_settings_say() -> None:
    plain = make().features
    full = make(
        **RECEIPTS,
        reply_from="fields.a",
        reply_text="fields.b",
        reference="json.id",
        body=BODY | {"id": "{{ id }}", "ttl": "{{ validity_s }}"},
    ).features
    poor = make(unicode=False, multipart=False, alphanumeric_sender=False).features

    assert {Feature.UCS2, Feature.MULTIPART, Feature.ALPHANUMERIC_SENDER} == plain
    assert (
        plain
        | {
            *(Feature.RECEIPTS, Feature.REPLIES, Feature.MESSAGE_ID, Feature.CLIENT_REFERENCE),
            Feature.VALIDITY,
        }
        == full
    )
    assert frozenset() == poor


def test_a_gateway_that_is_told_no_address_and_no_id_reports_by_its_own() -> None:
    body = {name: value for name, value in BODY.items() if name != "report"}
    by_ref = {name: value for name, value in RECEIPTS.items() if name != "receipt_id"}

    assert make(**by_ref, body=body).reports_by_ref
    assert not make(**by_ref).reports_by_ref
    assert not make(**RECEIPTS, body=body).reports_by_ref


def test_texts_are_cut_as_the_settings_say() -> None:
    splitting = make(splitting="grapheme").splitting

    assert dict.fromkeys(Encoding, "grapheme") == splitting
    assert {"unknown"} == set(make().splitting.values())


JSON_DIALECT = make(
    error_code="json.code", refused_codes="no", accepted_when="json.ok == 'yes, very'"
)
FORM_DIALECT = make(content_type="form")
