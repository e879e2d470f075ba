"""The messages of a delivery with their states, a page at a time."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from smsflow_provider.core.store.connection import Connection, Row, Store
from smsflow_provider.core.store.deliveries import Delivery
from smsflow_provider.core.store.statements import statements

#: Messages on one page, at the most.
MOST_ROWS: Final = 1_000
_SQL: Final = "message_log"


def read_message_log(
    store: Store,
    delivery: Delivery,
    *,
    after: int = 0,
    limit: int = 50,
    states: Collection[str] = (),
) -> list[Row]:
    """
    Read a page of the messages of *delivery*, in the order in which they were prepared.

    What a page costs depends on its length, and not on the delivery's. With *states*, chunks
    that hold no such message are passed over by their counters, so that rare ones are found fast.

    Args:
        after: Position of the last message of the page before; 0: the first page.
        limit: Messages, 1 to 1,000.
        states: Only messages in one of these: ``prepared``, ``sending``, ``accepted``,
            ``delivered``, ``undelivered``, ``failed``, ``unknown``, ``cancelled``, ``expired``.
            Empty: all.

    Returns:
        ``position``, ``recipient_id``, ``phone`` (whole: whoever shows it masks it), ``parts``,
        ``state``, ``code``, ``gateway_ref``, ``changed_at``. Nothing, and no error, where the
        messages were dropped.

    Raises:
        ValueError: *limit* is out of bounds.
    """
    if not 1 <= limit <= MOST_ROWS:
        raise ValueError(f"a page has 1 to {MOST_ROWS} messages")
    wanted = sorted({str(each) for each in states})
    with store.transaction() as connection:
        connection.execute(statements(_SQL)["plan_quickly"])
        return _page(connection, delivery, after=after, limit=limit, states=wanted)


def _page(
    connection: Connection, delivery: Delivery, *, after: int, limit: int, states: list[str]
) -> list[Row]:
    values = {
        "preparation": delivery.preparation,
        "after": after,
        "limit": limit,
        "states": states,
    }
    return connection.execute(statements(_SQL)["message_page"], values).fetchall()


def find_messages(
    store: Store, delivery: Delivery, *, phone: int | None = None, recipient_id: str | None = None
) -> list[Row]:
    """
    Find the messages to one person, as a page of the log has them.

    Looks at every row of the preparation, once.

    Args:
        phone: E.164 digits.
        recipient_id: The id in the audience. One of the two is given.
    """
    person = {"phone": phone, "recipient_id": recipient_id}
    values = {"preparation": delivery.preparation, **person}
    with store.transaction() as connection:
        found = connection.execute(statements(_SQL)["positions_of_person"], values).fetchall()
        connection.execute(statements(_SQL)["plan_quickly"])
        return [
            row
            for each in found
            for row in _page(connection, delivery, after=each["position"] - 1, limit=1, states=[])
        ]


def read_message_story(
    store: Store, delivery: Delivery, position: int
) -> tuple[Row, list[Row]] | None:
    """
    Read one message, as a page of the log has it, and what happened to it, in order.

    Returns:
        The message; and rows of ``at``, ``event`` (``marked``, ``outcome`` or ``receipt``),
        ``kind``, ``code``, ``gateway_ref`` and ``attempt`` (from 0; None: of a receipt). None:
        there is no such message in the store.
    """
    page = read_message_log(store, delivery, after=position - 1, limit=1)
    if not page or page[0]["position"] != position:
        return None
    values = {"preparation": delivery.preparation, "position": position}
    with store.transaction() as connection:
        steps = connection.execute(statements(_SQL)["message_story"], values).fetchall()
    return page[0], steps
