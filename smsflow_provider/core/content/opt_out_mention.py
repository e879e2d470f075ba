"""
Whether a marketing text says how to opt out, and what is added where it does not.

In doubt a text has none: one mention too many costs a few characters, one too few is against the
law of most countries. So ``STOP`` counts where it is a word to send ("STOP 36111", "reply STOP"),
not in "Stop by our shop" or "non-stop".
"""

from __future__ import annotations

import re
from typing import Final

# Everything here reads the same in Python's re and in Rust's regex, and is quick in both: no
# look-around and no \b, \w or \d, which differ between the two, or are slow beyond ASCII.
_LETTERS: Final = "0-9a-zà-öø-ɏ"
# Without the folding of cases, in which the two differ for the dotted and the dotless i.
_ASCII: Final = "(?-i:[0-9A-Za-z])"
_START: Final = f"(?:^|[^-_{_LETTERS}])"
_END: Final = f"(?:[^{_LETTERS}]|$)"
_GAP: Final = f"[^{_LETTERS}]{{0,4}}"
# What may stand before a word to send; no full stop: "Please do not reply. End of season sale".
_QUOTE: Final = "[ :\n\"'(«\u2018-\u201e]{1,4}"

# Words that are sent to opt out, each also a word of other sentences.
_KEYWORDS: Final = "|".join(
    [
        *("stop", "stopp"),  # codespell:ignore stopp
        *("arr[eê]t", "baja", "basta", "cancel", "end", "fin", "quit", "remove", "ret", "sair"),
        *("td", "afmelden", "abmelden"),
    ]
)
# Those that tell by their capitals.
_CAPITALS: Final = "(?-i:STOPP?|ARR[EÊ]T|BAJA)"  # codespell:ignore
# What says that the next word is to be sent: reply STOP, répondez par STOP, sende STOP.
_VERBS: Final = "|".join(
    [
        *("reply", "text", "txt", "send", "sms", "r[eé]p", "r[eé]p\\.", "r[eé]pond(?:ez|re|s)"),
        *("envoyez", "envoyer", "envoie", "tapez", "sende", "senden", "antworten?"),
        "antworten sie",  # codespell:ignore sie
        *("rispond[ai]", "inviare?", "scrivi", "env[ií][ae]", "enviar", "respond(?:e|er|a)"),
        *("escribe", "stuur", "antwoord", "sms'a", "skicka", "svara?", "wy[sś]lij", "odpisz"),
        *("napisz", "po[sš]li"),
    ]
)
_BY: Final = "with|the word|par|le mot|con|com|mit|med|met"  # codespell:ignore mot
# What may stand between the word and the number: STOP SMS au 36111.
_BETWEEN: Final = "sms|pub|promo|au|par|to|an|al|auf|naar|aan|till|til|na|para|ao|nr"
_SHORT: Final = r"(?:1[0-8][0-9]{2}|2[1-9][0-9]{2}|[03-9][0-9]{3})"  # 1999 and 2026 are years
_LONG: Final = r"\+?[0-9](?:[ .-]?[0-9]){4}"
# Words and beginnings of words that speak of nothing else.
_PLAIN: Final = "|".join(
    [
        *("unsub", "opt[ -]?out", "opting[ -]out", "d[eé]sabonn", "d[eé]sinscri"),
        *("ne plus recevoir", "abmeld", "abbestell", "abzumeld", "abzubestell", "disiscri"),
        *("cancella(?:rti|re l.iscri)", "annullare l.iscri", "da(?:r|rse|rte|te) de baja"),
        *("no recibir m[aá]s", "(?:anular|cancelar) (?:la |a |sua )?(?:susc|subs|insc)"),
        *("desinscrev", "afmeld", "uitschrijv", "avregistrer", "avmeld", "avprenumer", "wypis"),
        *("odhl[aá]s", "leiratkoz", "dezabon", "odjav"),
    ]
)
# Scripts in which words are not parted by blanks, or have no Latin letters.
_OTHER_SCRIPTS: Final = "отпис|відпис|διαγραφ|配信停止|配信解除|退订|退訂|拒收|수신거부"
# Paths of links that lead to a page for it.
_PATHS: Final = "|".join(
    [
        *("stop", "stopsms", "opt-?out", "baja"),
        f"(?:unsub|d[eé]sabo|d[eé]sins|abmeld|afmeld){_ASCII}*",
    ]
)

#: Text of a regular expression that finds an opt-out mention, for ``re`` and for polars alike.
MENTION_PATTERN: Final = "(?i)" + "|".join(
    [
        f"{_START}(?:{_PLAIN})",
        f"(?:{_OTHER_SCRIPTS})",
        f"{_START}(?:{_VERBS})(?:{_QUOTE}(?:{_BY}))?{_QUOTE}(?:{_KEYWORDS}){_END}",
        f"{_START}{_CAPITALS}{_GAP}(?:(?:{_BETWEEN}){_GAP}){{0,3}}(?:{_LONG}|{_SHORT}{_END})",
        f"{_START}{_CAPITALS}{_GAP}(?:(?:{_BETWEEN}){_GAP}){{0,3}}[0-9]{{3}}[ .)\n]*$",
        f"{_START}(?:stop|arr[eê]t|baja){_GAP}(?:(?:{_BETWEEN}){_GAP}){{0,3}}{_LONG}",
        f"(?:^|[.!?;:|/(\n]) {{0,2}}{_CAPITALS}[ .)\n]*$",
        f"{_START}{_CAPITALS}[ :=]{{1,3}}(?:https?://)?(?:{_ASCII}|-){{1,60}}\\.{_ASCII}",
        f"{_START}(?-i:STOP)[\"'\u2018-\u201e]? to (?:opt|end|quit|cancel|stop|leave)",
        f"{_START}(?-i:RET|IPTAL|İPTAL) yaz",
        f"{_ASCII}\\.{_ASCII}{{2}}[^ \n]{{0,120}}[/?&=#](?:{_PATHS})(?:[/?&=#.,;:!) \n]|$)",
    ]
)
_MENTION = re.compile(MENTION_PATTERN)


def has_mention(text: str, mention: str = "") -> bool:
    """
    Tell whether *text* says how to opt out.

    Knows the ways of the languages marketing texts are mostly sent in, no others; see
    ``MENTION_PATTERN``. The same over a column: ``contains(MENTION_PATTERN)``, or
    ``contains(mention, literal=True)``.

    Args:
        text: The rendered text.
        mention: The configured mention: a text that holds it has one, in any language.

    Example:
        >>> has_mention("Sale! STOP 36111"), has_mention("Stop by our shop!")
        (True, False)
    """
    return bool(mention and mention in text) or _MENTION.search(text) is not None


def with_mention(text: str, mention: str) -> str:
    r"""
    Put *mention* behind *text*, unless it has one.

    Between the two stands one space, unless the text ends with a space or a newline. It comes
    before transliteration and measuring: what is added is changed, counted and billed as well.

    The same over columns, for texts of the class marketing with ``opt_out_policy: add``, where
    ``mention`` is ``settings.mention_for(country)`` of the row, null where there is none::

        has = text.contains(MENTION_PATTERN) | text.contains(mention, literal=True).fill_null(False)
        gap = when(text.ends_with(" ") | text.ends_with("\n")).then("").otherwise(" ")
        new = when(has | mention.is_null()).then(text).otherwise(text + gap + mention)

    What lacks one still, ``~has & mention.is_null()``, is counted for the warning
    ``opt_out_mention_missing``; with ``opt_out_policy: require`` that is ``~has``, and nothing
    is added.

    Args:
        text: The rendered text, not empty.
        mention: What to add. Empty: nothing is.

    Example:
        >>> with_mention("Sale!", "STOP 36111"), with_mention("Sale! STOP 36111", "STOP 36111")
        ('Sale! STOP 36111', 'Sale! STOP 36111')
    """
    if not mention or has_mention(text, mention):
        return text
    return f"{text}{'' if text.endswith((' ', chr(10))) else ' '}{mention}"
