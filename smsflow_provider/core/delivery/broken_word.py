"""What may be told of an error that is not ours: where it happened, and none of its words."""

from __future__ import annotations

import traceback
from pathlib import PurePath

from smsflow_provider.core.errors import GatewayError, SmsflowError


def without_words(error: Exception) -> SmsflowError:
    """
    Make an error that may be logged of one that a gateway's dialect raised.

    Its words and its trace may quote a message or an answer: ``int("+33…")`` does. Ours hold
    neither, and stay as they are.

    Example:
        >>> try:
        ...     int("+33x")
        ... except ValueError as error:
        ...     print(without_words(error).facts["kind"])
        ValueError
    """
    if isinstance(error, SmsflowError):
        return error
    frames = traceback.extract_tb(error.__traceback__)
    last = frames[-1] if frames else None
    where = f"{PurePath(last.filename).name}:{last.lineno} {last.name}" if last else ""
    return GatewayError(
        "a gateway broke its word: its dialect is to be mended",
        kind=type(error).__name__,
        at=where,
    )
