"""
Every error smsflow raises. The type answers "can a message have left?".

* SmsflowError
  - ConfigError                 the campaign or the settings are wrong; nothing was sent
    . UnknownSettingError       a setting nobody knows, with the near name
    . WorkflowError             a workflow that must not run, with all its problems
    . TemplateError             a delivery template that cannot be read or rendered
    . AudienceError             an audience that cannot be built or read
    . UnsupportedFeatureError   the gateway cannot do what the delivery asks for
  - StoreError                  the store said no, or did not answer
    . StoreUnreachableError     no connection to the store
    . SchemaError               the store's schema is not the one this code needs
    . NotFoundError             no such delivery, audience or message
    . IllegalMoveError          a delivery cannot make this move
    . SupersededError           somebody else owns this work now: stop at once
  - SendInterruptedError        told to end in mid-send: the next try goes on
  - NotApprovedError            no valid approval of this very content; nothing was sent
    . NotAllowedError           this person may not decide about it
  - GatewayError                talking to a gateway failed
    . NotSentError              the gateway never took the message: safe to send again
    . MaybeSentError            nobody knows: never send again without asking the gateway
    . RefusedError              the gateway said no, for good

Facts are fields, never part of the sentence; none of them is a phone number or a text.
"""

from __future__ import annotations


class SmsflowError(Exception):
    """
    The root of the tree: one sentence in *problem*, and named *facts*.

    Survives pickling. Facts must not hold personal data: they are printed.
    """

    def __init__(self, problem: str, **facts: object) -> None:
        super().__init__(problem)
        self.problem = problem
        self.facts = facts

    def __str__(self) -> str:
        """The sentence, with the facts behind it."""
        if not self.facts:
            return self.problem
        return f"{self.problem} ({', '.join(f'{k}={v!r}' for k, v in self.facts.items())})"

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by sentence and facts; the default would lose the facts."""
        return _rebuild, (type(self), self.problem, self.facts)


def _rebuild(kind: type[SmsflowError], problem: str, facts: dict[str, object]) -> SmsflowError:
    return kind(problem, **facts)


class ConfigError(SmsflowError):
    """The campaign or the settings are wrong; nothing was sent."""


class UnknownSettingError(ConfigError):
    """A setting nobody knows; the facts name it and its near name."""


class WorkflowError(ConfigError):
    """A workflow that must not run; ``facts["problems"]`` lists all of them as text."""


class TemplateError(ConfigError):
    """A delivery template that cannot be read or rendered."""


class AudienceError(ConfigError):
    """An audience that cannot be built or read."""


class UnsupportedFeatureError(ConfigError):
    """The gateway cannot do what the delivery asks for; found before anything is sent."""


class StoreError(SmsflowError):
    """The store said no, or did not answer."""


class StoreUnreachableError(StoreError):
    """No connection to the store."""


class SchemaError(StoreError):
    """The store's schema is not the one this code needs; ``smsflow db migrate`` mends it."""


class NotFoundError(StoreError):
    """No such delivery, audience or message."""


class IllegalMoveError(StoreError):
    """A delivery cannot make this move from where it stands."""


class SupersededError(StoreError):
    """Somebody else owns this work now; the holder must stop without another word."""


class SendInterruptedError(SmsflowError):
    """The sender was told to end; what has not left waits for the next try, nothing is in doubt."""


class NotApprovedError(SmsflowError):
    """There is no valid approval of this very content; nothing was sent."""


class NotAllowedError(NotApprovedError):
    """This person may not decide about a delivery: another one must. ``facts["rule"]`` says why."""


class GatewayError(SmsflowError):
    """Talking to a gateway failed."""


class NotSentError(GatewayError):
    """
    The gateway certainly did not take the message: safe to send again.

    ``facts["retry_after_s"]`` is set when the gateway said how long to wait.
    """


class MaybeSentError(GatewayError):
    """The request left and no whole answer came back: nobody knows."""


class RefusedError(GatewayError):
    """The gateway said no, for good."""
