"""A proof from Airflow: what the operator, the command line and the REST API share."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.hooks.config import SmsflowConfig
from smsflow_provider.hooks.gateway import SmsGatewayHook
from smsflow_provider.hooks.sender import make_sender

if TYPE_CHECKING:
    from smsflow_provider.core.delivery.proof_request import Proof
    from smsflow_provider.core.gateways.base import Dialect
    from smsflow_provider.core.store.connection import Store
    from smsflow_provider.core.store.deliveries import Delivery
    from smsflow_provider.core.store.samples import Pick


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofWish:
    """A proof as people write it down."""

    #: Test numbers, as they are written.
    to: Sequence[str] = field(repr=False)
    #: ISO region of national numbers. None: they begin with a plus.
    region: str | None = None
    recipients: Sequence[str] = field(default=(), repr=False)
    random: int = 0
    #: Names of picks, with ``_`` or ``-`` between the words.
    picks: Sequence[str] = ()
    mark: bool = True
    #: The content it is about. None: whatever is prepared now.
    fingerprint: str | None = None


def read_wish(wish: ProofWish, *, key: str) -> Proof:
    """
    Read what somebody wrote down.

    Raises:
        ConfigError: Names wrong numbers by place, and wrong picks with the near name.
    """
    from smsflow_provider.core.delivery.proof_request import Proof  # noqa: PLC0415  loads psycopg
    from smsflow_provider.core.preparation.named import read_numbers  # noqa: PLC0415

    return Proof(
        key=key,
        to=tuple(read_numbers(wish.to, region=wish.region)),
        recipients=tuple(dict.fromkeys(wish.recipients)),
        random=wish.random,
        picks=read_picks(wish.picks),
        mark=wish.mark,
        fingerprint=wish.fingerprint,
    )


def read_picks(given: Sequence[str]) -> tuple[Pick, ...]:
    """
    Read names of picks.

    Raises:
        ConfigError: Names every wrong one, with the near name.
    """
    from smsflow_provider.core.store.samples import Pick  # noqa: PLC0415  loads psycopg

    known = [pick.value for pick in Pick]
    named = [one.replace("-", "_") for one in given]
    wrong = [one for one in named if one not in known]
    if wrong:
        near = {one: difflib.get_close_matches(one, known, n=1) for one in wrong}
        raise ConfigError("there is no such pick", near=near, known=known)
    return tuple(dict.fromkeys(Pick(one) for one in named))


def make_wish(
    store: Store, delivery: Delivery, wish: ProofWish, *, key: str, author: str, dialect: Dialect
) -> Delivery:
    """
    Make the proof of *delivery* that *key* names, or find it: approved by *author*, not yet sent.

    Raises:
        ConfigError: Something is wrong with *wish*; no number, text or recipient id in it.
        NotApprovedError, IllegalMoveError: See ``send_proof`` of the core.
    """
    from smsflow_provider.core.delivery.proof import make_proof  # noqa: PLC0415  loads psycopg

    proof = read_wish(wish, key=key)
    return make_proof(store, delivery.id, proof, author=author, dialect=dialect)


def send_made(
    store: Store,
    made: Delivery,
    *,
    owner: str,
    on_progress: Callable[[dict[str, int]], None] = lambda _: None,
    is_interrupted: Callable[[], bool] = lambda: False,
    hook_of: Callable[[str], SmsGatewayHook] = SmsGatewayHook,
) -> dict[str, Any]:
    """
    Send what is left of a proof, and return its report.

    Args:
        owner: Who sends it now, for the lease.
        hook_of: Makes the hook of the gateway: another one outside tasks.
    """
    from smsflow_provider.core.delivery.loop import run  # noqa: PLC0415  loads uvloop
    from smsflow_provider.core.delivery.send import send  # noqa: PLC0415  loads psycopg

    sender = make_sender(
        store,
        config=SmsflowConfig.read(),
        owner=owner,
        on_progress=on_progress,
        is_interrupted=is_interrupted,
        hook_of=hook_of,
    )
    return run(send(store, made.id, sender))
