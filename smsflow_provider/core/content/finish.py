"""From a rendered text to the one that leaves: its opt-out mention, then its transliteration."""

from __future__ import annotations

from smsflow_provider.core.content.opt_out_mention import with_mention
from smsflow_provider.core.content.settings import OptOutPolicy, TemplateSettings
from smsflow_provider.core.content.transliteration import transliterate
from smsflow_provider.core.model import MessageClass


def finished(rendered: str, settings: TemplateSettings, *, country: str | None = None) -> str:
    """
    Finish one text as preparation finishes columns of them.

    Args:
        rendered: What the template gave for one row.
        settings: Those of the template.
        country: ISO 3166 code of the recipient's number, which chooses the mention. None: not
            known, or of no country.

    Returns:
        The text to measure and send.

    Example:
        >>> settings = TemplateSettings(opt_out_mention="ARRÊT 36111", transliteration="full")
        >>> finished("Fête ! ", settings), finished("Stop: STOP 36111", settings)
        ('Fete ! ARRET 36111', 'Stop: STOP 36111')
    """
    mention = settings.mention_for(country) if adds_mention(settings) else None
    text = with_mention(rendered, mention) if mention else rendered
    return transliterate(text, settings.transliteration)


def adds_mention(settings: TemplateSettings) -> bool:
    """Whether texts of these settings may get a mention at all."""
    is_marketing = settings.message_class is MessageClass.MARKETING
    return is_marketing and settings.opt_out_policy is OptOutPolicy.ADD
