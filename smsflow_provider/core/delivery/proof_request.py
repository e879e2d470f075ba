"""What a proof is asked to be: which prepared messages, to which test numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from smsflow_provider.core.delivery.by_author import MOST_TEXTS
from smsflow_provider.core.delivery.identity import delivery_id_of
from smsflow_provider.core.errors import ConfigError, NotFoundError
from smsflow_provider.core.model import Origin
from smsflow_provider.core.store.connection import Row, Store
from smsflow_provider.core.store.deliveries import Delivery, sample_messages
from smsflow_provider.core.store.samples import (
    Pick,
    positions_of_picks,
    positions_of_recipients,
)

#: Characters of a key that are taken.
_LONGEST_KEY = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Which prepared messages go to which test numbers. Without a choice: every pick."""

    #: Names this proof among those of the delivery: the same key again sends nothing again.
    key: str
    #: E.164 digits, each once. Each gets every chosen message; 100 texts at the most.
    to: tuple[int, ...] = field(repr=False)
    #: Recipient ids whose messages are chosen.
    recipients: tuple[str, ...] = field(default=(), repr=False)
    #: How many messages are drawn, each once.
    random: int = 0
    #: The draw is the same for the same seed; empty: the key.
    seed: str = ""
    picks: tuple[Pick, ...] = ()
    #: Write ``PROOF #n`` before each text.
    mark: bool = True
    #: The content this is about; anything else is refused. None: whatever is prepared now.
    fingerprint: str | None = None
    #: Seconds after which what has not left expires.
    validity_s: int = 3600


def check_proof(proof: Proof) -> None:
    """
    Raise unless *proof* can be made of some delivery.

    Raises:
        ConfigError: Lists every problem.
    """
    problems = list(_problems_of(proof))
    if problems:
        raise ConfigError("the proof cannot be sent", problems=problems)


def _problems_of(proof: Proof) -> Iterator[str]:
    if not 0 < len(proof.key) <= _LONGEST_KEY:
        yield f"key: give one of 1 to {_LONGEST_KEY} characters"
    if not proof.to:
        yield "to: give at least one test number"
    if len(proof.to) > MOST_TEXTS:
        yield f"to: {len(proof.to)} numbers, the most are {MOST_TEXTS}"
    if len(set(proof.to)) < len(proof.to):
        yield "to: a number is given twice"
    if not 0 <= proof.random <= MOST_TEXTS:
        yield f"random: draws 0 to {MOST_TEXTS} messages, not {proof.random}"
    if len(proof.recipients) > MOST_TEXTS:
        yield f"recipients: {len(proof.recipients)} of them, the most are {MOST_TEXTS}"


def id_of_proof(shown: Delivery, proof: Proof) -> str:
    """Name the proof of *shown* that has the key of *proof*."""
    return delivery_id_of(Origin(dag_id=shown.id, run_id=proof.key, task_id="proof"))


def digest_of_request(shown: Delivery, proof: Proof) -> str:
    """Digest what is asked for, so that another wish under the same key is told apart."""
    wish = [
        shown.id,
        proof.key,
        sorted(proof.to),
        proof.recipients,
        [proof.random, proof.seed],
        proof.picks,
        proof.mark,
        proof.fingerprint,
    ]
    return hashlib.sha256(json.dumps(wish).encode()).hexdigest()


def choose_messages(store: Store, shown: Delivery, proof: Proof) -> list[Row]:
    """
    Read the chosen messages of *shown*, in the order of the wishes, each once.

    Raises:
        ConfigError: A wish that no message fits, or more texts than a proof may have.
        NotFoundError: The messages are not kept any more.
    """
    positions = _positions(store, shown, proof)
    texts = len(positions) * len(proof.to)
    if texts > MOST_TEXTS:
        told = f"{len(positions)} messages to {len(proof.to)} numbers are {texts} texts"
        problems = [f"to: {told}, the most are {MOST_TEXTS}"]
        raise ConfigError("the proof cannot be sent", problems=problems)
    rows = {row["position"]: row for row in sample_messages(store, shown, positions)}
    if len(rows) < len(positions):
        raise NotFoundError("the messages of this delivery are not kept any more", id=shown.id)
    return [rows[position] for position in positions]


def _positions(store: Store, shown: Delivery, proof: Proof) -> list[int]:
    found = positions_of_recipients(store, shown, proof.recipients)
    lost = [place for place, one in enumerate(proof.recipients, start=1) if one not in found]
    if lost:
        places = ", ".join(map(str, lost))
        problems = [f"recipients: no message for those at these places: {places}"]
        raise ConfigError("the proof cannot be sent", problems=problems)
    named = [position for one in proof.recipients for position in found[one]]
    picked = positions_of_picks(shown, proof.picks)
    if proof.picks and not picked:
        problems = [f"picks: the preparation knows no {', '.join(proof.picks)} message"]
        raise ConfigError("the proof cannot be sent", problems=problems)
    chosen = [*named, *picked, *_drawn(shown, proof)]
    return list(dict.fromkeys(chosen or positions_of_picks(shown, Pick) or [1]))


def _drawn(shown: Delivery, proof: Proof) -> list[int]:
    """Draw positions, the same for the same seed and number of messages."""
    draw = Random(proof.seed or proof.key)  # noqa: S311  samples to look at, no secret
    return draw.sample(range(1, shown.to_deliver + 1), min(proof.random, shown.to_deliver))
