"""Every line the levelled log of a delivery can hold, by the word that programs look for."""

from __future__ import annotations

from enum import StrEnum


class LogEvent(StrEnum):
    """
    What a line of a delivery's log is about.

    Controls of a typology write lines of their own: their event is the control's code. The words
    are stable; the sentences beside them are for people and may change.
    """

    #: Error. The audience lacks a column the texts need, and no default stands in. Name the column
    #: as the text does, or the other way round.
    COLUMN_MISSING = "column_missing"
    #: Error. Recipients lack a field the text requires, and the template says ``missing: fail``.
    #: Mend the audience, or say ``missing: exclude`` or ``missing: default``.
    FIELD_MISSING = "field_missing"
    #: Error. The text of some recipients cannot be made: it is empty, too long, holds a character
    #: that cannot be sent, or the template fails on their values. The reason says which.
    TEXT_FAILED = "text_failed"
    #: Error. A sender, by country or by an expression, is none that networks take.
    SENDER_INVALID = "sender_invalid"
    #: Error. The texts need something this gateway cannot do, such as UCS-2 or several parts.
    GATEWAY_LACKS_FEATURE = "gateway_lacks_feature"
    #: Error. The audience cannot be read, or is not the one that was built. Build it again.
    AUDIENCE_REFUSED = "audience_refused"
    #: Error. The template cannot be used, or takes too much time or memory for some rows.
    TEMPLATE_REFUSED = "template_refused"
    #: Error. A rule or a setting of the delivery cannot be used; its problems are listed.
    CONFIG_REFUSED = "config_refused"
    #: Error. The delivery would take more than its budget has left for a delivery, a day or a
    #: month.
    OVER_BUDGET = "over_budget"
    #: Error. The delivery names a budget that is not in ``budgets.yaml``.
    BUDGET_UNKNOWN = "budget_unknown"
    #: Error. The budget is in money and there is no price table.
    BUDGET_NEEDS_PRICES = "budget_needs_prices"
    #: Error. The budget and the prices are in different currencies; none is converted.
    BUDGET_CURRENCY = "budget_currency"
    #: Warning. Messages without a price are charged with nothing.
    BUDGET_UNPRICED = "budget_unpriced"
    #: Info. What the delivery has taken of its budget.
    BUDGET_RESERVED = "budget_reserved"
    #: Info. A dry run is measured against its budget and takes nothing.
    BUDGET_DRY_RUN = "budget_dry_run"
    #: Warning. Some numbers have no price: the cost is at least the one shown.
    PRICE_MISSING = "price_missing"
    #: Info. The price table is older than 180 days.
    PRICES_OLD = "prices_old"
    #: Info. The price table is of a day that is still to come.
    PRICES_EARLY = "prices_early"
    #: Info. What the parts cost.
    COST = "cost"
    #: Warning. Every recipient is excluded: nothing would be sent.
    NOBODY_LEFT = "nobody_left"
    #: Warning. No public address is configured, so gateways cannot say what arrived.
    NO_RECEIPTS = "no_receipts"
    #: Warning. At the pace of its gateway, or as it is spread, the delivery takes longer than its
    #: validity: the last messages expire. Raise the limit, or the validity.
    TOO_SLOW = "too_slow"
    #: Warning. The gateway cuts long texts inside a character: what arrives may be broken.
    CUT_CHARACTERS = "cut_characters"
    #: Warning. Texts hold characters GSM-7 lacks: 70 to a part instead of 160.
    UCS2_TEXTS = "ucs2_texts"
    #: Warning. Marketing texts do not say how to opt out, and no mention could be added.
    OPT_OUT_MENTION_MISSING = "opt_out_mention_missing"
    #: Warning. Rows of an audience that is left out hold no readable number: these people are not
    #: left out.
    EXCLUDED_AUDIENCE_UNREADABLE = "excluded_audience_unreadable"
    #: Info. Nothing will be handed over.
    DRY_RUN = "dry_run"
    #: Info. Only the numbers of the environment's allow-list can be texted.
    ALLOW_LIST = "allow_list"
    #: Info. Recipients whose language no text is written in get the default one.
    DEFAULT_LANGUAGE = "default_language"
    #: Info. Characters were replaced by transliteration; the figures say which.
    TRANSLITERATED = "transliterated"
    #: Info. The preparation is complete.
    PREPARED = "prepared"
    #: Info. Somebody stopped the preparation; nothing of it is left.
    PREPARATION_STOPPED = "preparation_stopped"
    #: Info. A proof was sent; who sent it and to how many numbers is told, not to which.
    PROOF_SENT = "proof_sent"
    #: Warning. Some of a proof's test numbers opted out; it went there all the same.
    PROOF_OPTED_OUT = "proof_opted_out"
    #: Warning. Some of a proof's test numbers are in quarantine; it went there all the same.
    PROOF_QUARANTINED = "proof_quarantined"
    #: Info. The delivery was approved.
    DELIVERY_APPROVED = "delivery_approved"
    #: Info. The delivery was rejected.
    DELIVERY_REJECTED = "delivery_rejected"
    #: Warning. Somebody answered the review who may not decide about this delivery: it is asked
    #: again. ``rule`` says why: ``four_eyes`` or ``not_reviewer``.
    ANSWER_REFUSED = "answer_refused"
    #: Info. Nobody decided in time, or the approval came too late.
    DELIVERY_EXPIRED = "delivery_expired"
    #: Info. A paused delivery goes on.
    DELIVERY_SENDING = "delivery_sending"
    #: Info. The delivery is held.
    DELIVERY_PAUSED = "delivery_paused"
    #: Info. The delivery was stopped for good.
    DELIVERY_STOPPED = "delivery_stopped"
    #: Warning. The validity of a paused delivery is over: it ends, and what has not left expires.
    VALIDITY_OVER = "validity_over"
    #: Warning. Everything was switched off: the delivery is held until a person resumes it, after
    #: it was switched on again.
    SWITCHED_OFF = "switched_off"
    #: Warning. All deliveries together have sent the parts they may in one day (UTC); resume it on
    #: another day.
    DAILY_CAP = "daily_cap"
    #: Warning. The share of messages that failed, were not delivered or are in doubt is above the
    #: template's limit; whoever resumes the delivery accepts those, and it is counted from there.
    TOO_MANY_FAILURES = "too_many_failures"
    #: Warning. The share of recipients who opted out since is above the template's limit; whoever
    #: resumes the delivery accepts that, and it is counted from there.
    TOO_MANY_OPT_OUTS = "too_many_opt_outs"
    #: Info. All messages of a wave are settled; receipts and opt-outs are waited for.
    WAVE_ENDED = "wave_ended"
    #: Warning. The template wants a person to look between waves: resuming lets the next one leave.
    WAVE_ASKS = "wave_asks"
    #: Info. The next wave leaves, or the rest.
    WAVE_BEGUN = "wave_begun"
    #: Warning. The gateway does not answer: only a single message is tried now and then.
    CIRCUIT_OPENED = "circuit_opened"
    #: Info. The gateway answers again.
    CIRCUIT_CLOSED = "circuit_closed"
    #: Warning. A person lets messages that failed or expired go again.
    RESENT = "resent"
