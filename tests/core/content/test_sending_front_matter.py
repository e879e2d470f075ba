"""How to send is read from a template as deep as it goes; other settings are not."""

from __future__ import annotations

from smsflow_provider.core.content.front_matter import read_settings
from smsflow_provider.core.content.sending_settings import (
    Failover,
    SendingSettings,
    Spread,
    Waves,
)


def test_nested_settings_and_lists_are_read() -> None:
    settings, problems = read_settings(
        "sending:\n"
        "  priority: 3\n"
        "  spread: {finish_by: 18:00, time_zone: Europe/Paris}\n"
        "  waves:\n"
        "    shares: [1%, 10%]\n"
        "    wait: 30m\n"
        "  pause_when: {failed: null, opted_out: 1%}\n"
        "  failover: {gateway: other, countries: [FR, be]}\n"
    )

    assert [] == problems
    assert 3 == settings.sending.priority
    assert Spread(finish_by="18:00", time_zone="Europe/Paris") == settings.sending.spread
    assert Waves(shares=(0.01, 0.1), wait_s=1800) == settings.sending.waves
    assert settings.sending.pause_when.failed is None
    assert Failover(gateway="other", countries=("FR", "BE")) == settings.sending.failover


def test_a_slip_deep_inside_is_told_with_its_line() -> None:
    _, problems = read_settings("sender: ACME\nsending:\n  spread:\n    ovre: 4h\n")

    assert problems
    assert {problem.line for problem in problems} <= {4, 5}
    assert all((problem.field or "").startswith("sending") for problem in problems)


def test_a_country_to_fail_over_for_is_a_real_one_and_the_near_one_is_named() -> None:
    _, problems = read_settings("sending:\n  failover: {gateway: other, countries: [FR, UK, XZ]}\n")

    assert [
        ("sending.failover.countries.1", "did you mean 'GB'?"),
        ("sending.failover.countries.2", "for example FR"),
    ] == [(problem.field, problem.hint) for problem in problems]


def test_a_delivery_that_was_prepared_keeps_the_countries_it_was_approved_with() -> None:
    kept = SendingSettings.kept({"failover": {"gateway": "other", "countries": ["UK"]}})

    assert Failover.model_construct(gateway="other", countries=("UK",)) == kept.failover
