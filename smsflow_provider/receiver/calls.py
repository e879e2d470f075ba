"""Who is calling, and what the call says: tokens, signatures, and the dialects that read."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from smsflow_provider.core.delivery.incoming import receipt_to_store, reply_to_store
from smsflow_provider.core.delivery.tokens import Signer, inbound_name
from smsflow_provider.core.gateways.base import (
    Dialect,
    Feature,
    HttpCallback,
    Replies,
    SignedCalls,
)
from smsflow_provider.core.gateways.registry import CONNECTION_PARAMETER, ReceiptReader
from smsflow_provider.core.model import Reply
from smsflow_provider.core.store.group_writer import Item, ReceivedReply
from smsflow_provider.receiver.fresh import Fresh
from smsflow_provider.receiver.request import RefusedError

__all__ = ["Calls", "Item", "ReceivedReply", "is_signing"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """
    Judges and reads calls.

    Raises in every method:
        RefusedError: 400, 403 or 503; see ``receiver.app``.
    """

    signer: Fresh[Signer]
    #: Dialects by connection; read when one is needed for the first time.
    dialects: Fresh[Mapping[str, Dialect]]
    #: Of types whose calls are read alike whatever the connection, and carry no signature.
    readers: Mapping[str, ReceiptReader]
    #: Types whose calls only a connection can judge or read.
    by_connection: frozenset[str]
    public_url: str
    now: Callable[[], datetime]

    async def check_token(self, name: str, token: str) -> None:
        """Check a token of ours, against keys that are read again if it is not known."""
        if not (await self.signer.get()).verify(name, token) and not (
            token and await self.signer.renew() and (await self.signer.get()).verify(name, token)
        ):
            raise RefusedError(403)

    async def read_receipt(self, conn_type: str, callback: HttpCallback) -> Item | None:
        """Read a receipt about the one message of *callback*, whose token was checked."""
        if conn_type not in self.by_connection:
            return self._receipt(conn_type, "", self.readers[conn_type], callback)
        dialects = await self._dialects_of(conn_type, callback.query.get(CONNECTION_PARAMETER, ""))
        signed = [(name, one) for name, one in dialects if _is_authentic(one, callback)]
        if not signed:
            raise RefusedError(403)
        return self._first_that_reads(conn_type, signed, callback)

    def _first_that_reads(
        self, conn_type: str, dialects: Sequence[tuple[str, Dialect]], callback: HttpCallback
    ) -> Item | None:
        for name, dialect in dialects:
            try:
                return self._receipt(conn_type, name, dialect.read_callback, callback)
            except RefusedError:
                continue
        raise RefusedError(400)

    async def _dialects_of(self, conn_type: str, conn_id: str) -> list[tuple[str, Dialect]]:
        def chosen(found: Mapping[str, Dialect]) -> list[tuple[str, Dialect]]:
            return [
                (name, one)
                for name, one in found.items()
                if one.name == conn_type and conn_id in {"", name}
            ]

        dialects = chosen(await self._known(lambda found: bool(chosen(found))))
        if not dialects:
            facts = {"event": "connection_unknown", "conn_type": conn_type}
            log.warning("No connection can judge the call", extra=facts)
            raise RefusedError(503)
        return dialects

    async def find(self, conn_type: str, conn_id: str) -> Dialect | None:
        """Find the dialect of a connection, if it is of that type."""
        known = await self._known(lambda found: conn_id in found)
        dialect = known.get(conn_id)
        return dialect if dialect is not None and dialect.name == conn_type else None

    async def _known(
        self, is_enough: Callable[[Mapping[str, Dialect]], bool]
    ) -> Mapping[str, Dialect]:
        try:
            known = await self.dialects.get()
            if not is_enough(known) and await self.dialects.renew():
                known = await self.dialects.get()
        except Exception as error:  # noqa: BLE001  whatever it is, the gateway calls again
            facts = {"event": "connections_unknown", "kind": type(error).__name__}
            log.warning("Connections cannot be read", extra=facts)
            raise RefusedError(503) from None
        return known

    async def check_inbound(
        self, dialect: Dialect | None, conn_id: str, query: Mapping[str, str]
    ) -> None:
        """Check what can be checked of an inbound call before its body is read."""
        if dialect is None or not is_signing(dialect):
            await self.check_token(inbound_name(conn_id), query.get("t", ""))
        if dialect is None:
            # It is ours, and its connection is not: the gateway should call again.
            raise RefusedError(503)

    def read_inbound(
        self, conn_type: str, conn_id: str, dialect: Dialect, callback: HttpCallback
    ) -> Item | None:
        """Read a call that is about a whole connection: a reply, or a receipt."""
        if not _is_authentic(dialect, callback):
            raise RefusedError(403)
        if Feature.REPLIES in dialect.features and isinstance(dialect, Replies):
            try:
                reply = _reply_of(dialect, callback)
            except ValueError:
                raise RefusedError(400) from None
            if reply is not None:
                return ReceivedReply(gateway=conn_id, reply=reply, received_at=self.now())
        # Whoever knows the address of one connection must not report on what others sent.
        return self._receipt(
            conn_type,
            conn_id,
            dialect.read_callback,
            callback,
            only_its_own=not is_signing(dialect),
        )

    def _receipt(
        self,
        conn_type: str,
        conn_id: str,
        read: ReceiptReader,
        callback: HttpCallback,
        *,
        only_its_own: bool = False,
    ) -> Item | None:
        try:
            receipt = read(callback)
            if receipt is None:
                return None
            if callback.message_id and receipt.message_id != callback.message_id:
                raise RefusedError(400)  # the token is for another message
            return receipt_to_store(
                receipt,
                conn_type=conn_type,
                gateway=conn_id,
                received_at=self.now(),
                only_its_own=only_its_own,
            )
        except ValueError:
            raise RefusedError(400) from None


def is_signing(dialect: Dialect) -> bool:
    """Whether calls of this gateway carry a signature, and must."""
    return Feature.SIGNED_CALLS in dialect.features and isinstance(dialect, SignedCalls)


def _is_authentic(dialect: Dialect, callback: HttpCallback) -> bool:
    return not is_signing(dialect) or (
        isinstance(dialect, SignedCalls) and dialect.is_signed(callback)
    )


def _reply_of(dialect: Replies, callback: HttpCallback) -> Reply | None:
    try:
        reply = dialect.read_reply(callback)
    except ValueError:
        return None  # perhaps a receipt: that reader says so
    return None if reply is None else reply_to_store(reply)
