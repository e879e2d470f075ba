"""
Proofs: prepared messages of a campaign, sent to a few test numbers instead of their recipients.

A proof is a delivery of its own, numbered for each campaign, approved by its author in the same
act. It is in no figure, budget or pressure of the campaign. Opt-outs and quarantine do not hold
it up, and are told; the allow-list of the environment and a dry run hold for it as for any other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from smsflow_provider.core.content.encoding import MAX_PARTS, encoding_of, measure
from smsflow_provider.core.delivery.by_author import (
    ByAuthor,
    lacking_features,
    prepare_by_author,
)
from smsflow_provider.core.delivery.proof_request import (
    Proof,
    check_proof,
    choose_messages,
    digest_of_request,
    id_of_proof,
)
from smsflow_provider.core.delivery.report import report
from smsflow_provider.core.delivery.send import Sender, send
from smsflow_provider.core.delivery.switch import check_may_begin
from smsflow_provider.core.errors import (
    ConfigError,
    IllegalMoveError,
    NotApprovedError,
)
from smsflow_provider.core.gateways.base import Dialect
from smsflow_provider.core.log_event import LogEvent
from smsflow_provider.core.model import DeliveryKind, Encoding
from smsflow_provider.core.states import BEGUN, DeliveryState
from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.deliveries import (
    Delivery,
    LogRow,
    find_delivery,
    read_delivery,
    write_log,
)
from smsflow_provider.core.store.prepared import MessageRow
from smsflow_provider.core.store.proofs import (
    add_proof,
    count_listed,
    find_proof,
    next_proof_no,
)
from smsflow_provider.core.store.scopes import programme_scope, sender_scope

#: States in which a proof has its messages and its approval.
_MADE = BEGUN | {DeliveryState.APPROVED}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A proof that has its number, and the messages it is to have."""

    delivery_id: str
    rows: list[MessageRow]
    told: ByAuthor


async def send_proof(
    store: Store,
    delivery_id: str,
    proof: Proof,
    *,
    author: str,
    dialect: Dialect,
    sender: Sender,
) -> dict[str, Any]:
    """
    Send *proof* of a prepared delivery, once for each key, however often it is tried.

    Killed on the way, the next call with the same key goes on where it stood; what was under way
    is ``unknown`` then and not sent again.

    Args:
        author: Who wants it, and so approves it; not empty.
        dialect: That of the gateway of the delivery: it says how marked texts are cut.

    Returns:
        The report of the proof, with ``proof`` (see ``report``).

    Raises:
        ConfigError: Lists what is wrong with *proof*; no number, text or recipient id in it.
        NotApprovedError: The delivery is not prepared, or holds other content than told.
        IllegalMoveError: It is no campaign; or the key was used for another proof; or everything
            is switched off.
        NotFoundError: There is no such delivery, or its messages are not kept any more.
        RefusedError, SendInterruptedError, SupersededError: See ``send``.
    """
    made = make_proof(store, delivery_id, proof, author=author, dialect=dialect)
    await send(store, made.id, sender)
    return report(store, made.id)


def make_proof(
    store: Store, delivery_id: str, proof: Proof, *, author: str, dialect: Dialect
) -> Delivery:
    """Number, prepare and approve *proof*, and send nothing yet. See ``send_proof``."""
    if not author.strip():
        raise NotApprovedError("a proof needs somebody who wants it", delivery=delivery_id)
    check_proof(proof)
    shown = find_delivery(store, delivery_id)
    known = _known(store, shown, proof)
    if known is not None and known.state in _MADE:
        return known
    check_may_begin(store)
    _check_shown(shown, proof)
    chosen = choose_messages(store, shown, proof)
    made = _number(store, shown, proof, chosen, author=author, dialect=dialect)
    prepare_by_author(store, made.delivery_id, made.rows, made.told)
    return find_delivery(store, made.delivery_id)


def _known(store: Store, shown: Delivery, proof: Proof) -> Delivery | None:
    with store.transaction() as connection:
        known = find_proof(connection, id_of_proof(shown, proof))
    if known is not None and known.settings["proof"]["request"] != digest_of_request(shown, proof):
        raise IllegalMoveError(
            "this key was used for another proof: nothing was sent", delivery=shown.id
        )
    return known


def _check_shown(shown: Delivery, proof: Proof) -> None:
    if shown.kind is not DeliveryKind.CAMPAIGN:
        raise IllegalMoveError(
            "only a campaign has proofs", delivery=shown.id, kind=shown.kind.value
        )
    if shown.fingerprint is None:
        raise NotApprovedError(
            "there is nothing to prove: prepare the delivery first",
            delivery=shown.id,
            state=shown.state.value,
        )
    if proof.fingerprint not in (None, shown.fingerprint):
        raise NotApprovedError(
            "this is not what the delivery holds now: review it again",
            delivery=shown.id,
            state=shown.state.value,
        )
    if not shown.to_deliver:
        raise NotApprovedError("the delivery has no message to prove", delivery=shown.id)


def _number(
    store: Store,
    shown: Delivery,
    proof: Proof,
    chosen: Sequence[Row],
    *,
    author: str,
    dialect: Dialect,
) -> _Made:
    """
    Give the proof its number, and say in the log of the delivery that it goes out.

    The delivery is held meanwhile: two proofs at once get two numbers, and nothing is numbered
    that cannot be sent, or of content that was prepared anew since it was read.
    """
    with store.transaction() as connection:
        current = read_delivery(connection, shown.id, lock=True)
        if (current.preparation, current.fingerprint) != (shown.preparation, shown.fingerprint):
            raise NotApprovedError("the delivery was prepared again meanwhile", delivery=shown.id)
        proof_id = id_of_proof(shown, proof)
        known = find_proof(connection, proof_id)
        no = known.proof_no if known and known.proof_no else next_proof_no(connection, shown)
        rows = _rows_of(chosen, proof, no=no, dialect=dialect)
        told = _told(connection, shown, proof, chosen, no=no, author=author)
        if known is None:
            _add(connection, shown, proof, told, no=no)
    return _Made(delivery_id=proof_id, rows=rows, told=told)


def _add(connection: Connection, shown: Delivery, proof: Proof, told: ByAuthor, *, no: int) -> None:
    proof_id = id_of_proof(shown, proof)
    add_proof(
        connection,
        shown,
        proof_id=proof_id,
        proof_no=no,
        label=told.label,
        origin=replace(shown.origin, task_id=f"{shown.origin.task_id}.proof"),
        settings=told.settings,
        actor=told.author,
    )
    figures = told.figures["proof"]
    numbers = "1 number" if len(proof.to) == 1 else f"{len(proof.to)} numbers"
    counted = ("numbers", "messages", "opted_out", "quarantined")
    write_log(
        connection,
        shown,
        level="info",
        event=LogEvent.PROOF_SENT,
        problem=f"PROOF #{no} goes to {numbers}",
        facts={
            "by": told.author,
            "proof": no,
            "delivery": proof_id,
            **{name: figures[name] for name in counted},
        },
    )


def _told(
    connection: Connection,
    shown: Delivery,
    proof: Proof,
    chosen: Sequence[Row],
    *,
    no: int,
    author: str,
) -> ByAuthor:
    scopes = _scopes_of(shown, chosen)
    opted_out, quarantined = count_listed(connection, proof.to, scopes=scopes)
    figures = {
        "of": shown.id,
        "no": no,
        "by": author,
        "numbers": len(proof.to),
        "messages": len(chosen),
        "marked": proof.mark,
        "parts_unmarked": len(proof.to) * sum(row["parts"] for row in chosen),
        "opted_out": opted_out,
        "quarantined": quarantined,
    }
    about = {
        "of": shown.id,
        "preparation": shown.preparation,
        "fingerprint": shown.fingerprint,
        "request": digest_of_request(shown, proof),
    }
    return ByAuthor(
        author=author,
        label=f"PROOF #{no} of {shown.label}",
        gateway=shown.gateway,
        settings={"proof": about},
        figures={"proof": figures},
        validity_s=proof.validity_s,
        dry_run=shown.dry_run,
        lines=tuple(_lines_of(opted_out, quarantined)),
    )


def _scopes_of(shown: Delivery, chosen: Sequence[Row]) -> list[str]:
    """Name the opt-out lists that hold for the delivery and the chosen messages."""
    settings = shown.template.get("settings") or {}
    programme = settings.get("programme") if isinstance(settings, dict) else None
    senders = {sender_scope(row["sender"]) for row in chosen if row["sender"].strip()}
    named = [programme_scope(str(programme))] if programme else []
    return [*shown.settings.get("opt_out_scopes", [""]), *sorted(senders), *named]


def _lines_of(opted_out: int, quarantined: int) -> Iterator[LogRow]:
    for event, count, words in (
        (LogEvent.PROOF_OPTED_OUT.value, opted_out, "opted out"),
        (LogEvent.PROOF_QUARANTINED.value, quarantined, "in quarantine"),
    ):
        if count:
            problem = f"{count} of the test numbers {'is' if count == 1 else 'are'} {words}"
            yield "warning", event, f"{problem}: a proof goes there all the same", {"count": count}


def _rows_of(chosen: Sequence[Row], proof: Proof, *, no: int, dialect: Dialect) -> list[MessageRow]:
    """Write the messages of a proof: each chosen one to each number, in the order of both."""
    mark = f"PROOF #{no} " if proof.mark else ""
    texts = [(row, *_measured(mark + row["body"], row, dialect)) for row in chosen]
    pairs = [(one, phone) for one in texts for phone in proof.to]
    return [
        (position, phone, row["recipient_id"], row["sender"], body, encoding.value, parts, "")
        for position, ((row, body, encoding, parts), phone) in enumerate(pairs, start=1)
    ]


def _measured(body: str, row: Row, dialect: Dialect) -> tuple[str, Encoding, int]:
    if body == row["body"]:
        return body, Encoding(row["encoding"]), int(row["parts"])
    encoding = encoding_of(body)
    try:
        parts = measure(body, split=dialect.splitting[encoding].value).parts
    except ValueError:
        problems = [f"mark: with it a text has more than {MAX_PARTS} parts"]
        raise ConfigError("the proof cannot be sent", problems=problems) from None
    lacking = list(lacking_features(dialect, encoding=encoding, parts=parts, sender=row["sender"]))
    if lacking:
        problems = [f"mark: the gateway {dialect.name} lacks {', '.join(lacking)}"]
        raise ConfigError("the proof cannot be sent", problems=problems)
    return body, encoding, parts
