"""
What a connection of the type ``sms_http`` says: a gateway described by settings alone.

Requests are described by templates, answers and calls by expressions; see
``core/expression.py`` for what both may do, and the page on it for recipes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from smsflow_provider.core.gateways.base import Split
from smsflow_provider.core.gateways.settings import GatewaySettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericSettings(GatewaySettings):
    """A gateway over HTTP. Login and password are ``username`` and ``password`` in templates."""

    default_scheme: ClassVar[str] = "https"

    # The request.
    path: str = setting(
        "",
        label="Path",
        description="Where messages are posted, behind the host; may use {{ username }} only",
    )
    method: str = setting(
        "POST", label="Method", description="HTTP method", choices=("POST", "PUT", "PATCH")
    )
    content_type: str = setting(
        "json",
        label="Body format",
        description="json and form escape by themselves, xml too; text is sent as it is",
        choices=("json", "form", "xml", "text"),
    )
    headers: str = setting(
        "",
        label="Headers",
        description='JSON object of templates, such as {"Authorization": "Bearer {{ password }}"}',
        is_json=True,
    )
    body: str = setting(
        "",
        label="Body",
        description="JSON object of templates (json, form), or one template (xml, text)",
        is_json=True,
    )
    max_batch: int = setting(
        1,
        label="Messages in a request",
        description="More than one: the body says each_message where they go, json only",
        minimum=1,
        maximum=1000,
    )
    # The answer.
    accepted_when: str = setting(
        "",
        label="Accepted when",
        description="Expression over status, headers, text, json; with batches also item",
    )
    items: str = setting(
        "",
        label="Items of the answer",
        description="Expression: the list of what is said about each message of a batch",
    )
    item_id: str = setting(
        "",
        label="Id in an item",
        description="Expression over item: our id; empty: items are in the order of the messages",
    )
    reference: str = setting(
        "", label="Reference", description="Expression: the gateway's own id of the message"
    )
    error_code: str = setting(
        "", label="Error code", description="Expression: the code of a message not accepted"
    )
    # What codes mean.
    refused_codes: str = setting(
        "", label="Codes: refused", description="This message failed for good; commas between"
    )
    temporary_codes: str = setting(
        "",
        label="Codes: temporary",
        description="Certainly not taken, for a reason of this message that may pass",
    )
    throttled_codes: str = setting(
        "",
        label="Codes: throttled",
        description="Certainly not taken, for the gateway is busy: everything waits",
    )
    misconfigured_codes: str = setting(
        "",
        label="Codes: misconfigured",
        description="The login or the account is wrong: sending stops, nothing fails",
    )
    default_class: str = setting(
        "unknown",
        label="Any other code",
        description="What a code in no list means; unknown is never sent again by itself",
        choices=("unknown", "refused"),
    )
    check_path: str = setting(
        "",
        label="Path of the test",
        description="Path that answers a GET with success when the login is right; empty: none",
    )
    # Receipts and replies.
    receipt_status: str = setting(
        "",
        label="Receipt status",
        description="Expression over fields, query, form, json, text, headers of a call",
    )
    receipt_map: str = setting(
        "",
        label="Receipt words",
        description="JSON object: word to delivered, undelivered, accepted or ignore; * for others",
        is_json=True,
    )
    receipt_code: str = setting(
        "", label="Receipt code", description="Expression: the error code of a receipt"
    )
    receipt_id: str = setting(
        "",
        label="Receipt id",
        description="Expression: our id, where the gateway gives it back; else the address has it",
    )
    receipt_reference: str = setting(
        "", label="Receipt reference", description="Expression: the gateway's own id of the message"
    )
    reply_from: str = setting(
        "", label="Reply from", description="Expression: who wrote back; empty: no replies come"
    )
    reply_to: str = setting(
        "", label="Reply to", description="Expression: the number that was written to"
    )
    reply_text: str = setting("", label="Reply text", description="Expression: what was written")
    reply_id: str = setting(
        "", label="Reply id", description="Expression: the gateway's own id of the reply"
    )
    # What it can do.
    alphanumeric_sender: bool = setting(
        True, label="Names as senders", description="The gateway takes a sender of letters"
    )
    fixes_sender: bool = setting(
        False,
        label="Fixes the sender",
        description="The gateway sets the sender itself: the one of a delivery is left out",
    )
    unicode: bool = setting(
        True, label="Unicode", description="The gateway takes texts that GSM 7-bit cannot write"
    )
    chooses_encoding: bool = setting(
        False,
        label="Chooses the encoding",
        description="The gateway finds out what a text needs and replaces nothing in it",
    )
    multipart: bool = setting(
        True, label="Long texts", description="The gateway takes texts of several parts"
    )
    splitting: str = setting(
        "unknown",
        label="Cuts long texts",
        description="How the gateway cuts; unknown: the most parts are predicted",
        choices=tuple(each.value for each in Split),
    )

    def problems(self) -> list[str]:
        """Say everything that is wrong with the description of the gateway."""
        # Loads Jinja, which no other gateway needs.
        from smsflow_provider.core.gateways.generic_reading import Reading  # noqa: PLC0415
        from smsflow_provider.core.gateways.generic_writing import Writing  # noqa: PLC0415

        problems: list[str] = []
        writing = Writing(self, problems=problems)
        Reading(self, problems=problems)
        if not problems:
            writing.try_out()
        return problems
