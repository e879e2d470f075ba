"""Price tables: what they may say, what is found in them, and every problem at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smsflow_provider.core.errors import ConfigError
from smsflow_provider.core.preparation.prices import (
    PriceTable,
    SenderKind,
    patterns_of,
    read_price_table,
    read_prices,
    sender_key,
)

CSV = """\
# What we pay, as agreed
# as of 2026-11-01
country,sender,price,currency
FR,,0.045,EUR
FR,ACME,0.05,EUR
FR,number,0.04,
us,*,0.0083,
*,ACME,0.2,
*,,0.1,
"""
YAML = """\
as_of: 2026-11-01
currency: EUR
prices:
  FR: {"*": 0.045, ACME: 0.05, number: 0.04}
  us: 0.0083
  "*": {ACME: 0.2, "*": 0.1}
"""


def problems_of(text: str, name: str = "prices.csv") -> list[str]:
    """Read a table that cannot be used, and list what is wrong with it."""
    with pytest.raises(ConfigError) as caught:
        read_price_table(text, name=name)
    problems = caught.value.facts["problems"]
    assert isinstance(problems, list)
    return problems


def test_csv_and_yaml_say_the_same() -> None:
    table = read_price_table(CSV, name="prices.csv")

    assert table == read_price_table(YAML, name="prices.yaml")
    assert ("EUR", date(2026, 11, 1), 6) == (table.currency, table.as_of, len(table.prices))


@pytest.mark.parametrize(
    ("country", "sender", "price"),
    [
        ("FR", "ACME", "0.05"),
        ("FR", "Acme", "0.05"),
        ("FR", "36111", "0.04"),
        ("FR", "+33612345678", "0.04"),
        ("FR", "Other", "0.045"),
        ("FR", "", "0.045"),
        ("US", "ACME", "0.0083"),
        ("BR", "ACME", "0.2"),
        ("BR", "Other", "0.1"),
        ("", "Other", "0.1"),
    ],
)
def test_the_most_specific_price_wins(country: str, sender: str, price: str) -> None:
    """Country and sender, then country, then any country and sender, then any."""
    assert Decimal(price) == read_price_table(CSV, name="prices.csv").price_of(country, sender)


def test_a_country_without_a_price_has_none() -> None:
    table = PriceTable(
        currency="EUR", as_of=date(2026, 11, 1), prices={("FR", "acme"): Decimal("0.05")}
    )

    assert table.price_of("FR", "Other") is None
    assert table.price_of("BR", "ACME") is None


def test_a_sender_called_like_a_kind_gets_the_price_of_its_own_kind() -> None:
    """``number`` is a name of six letters; the line for numbers is not for it."""
    table = PriceTable(
        currency="EUR",
        as_of=date(2026, 11, 1),
        prices={("FR", "number"): Decimal(1), ("FR", "alphanumeric"): Decimal(2)},
    )

    assert Decimal(2) == table.price_of("FR", "NUMBER")
    assert Decimal(1) == table.price_of("FR", "36111")


def test_prices_are_exact_and_norway_is_a_country() -> None:
    table = read_price_table(
        "as_of: 2026-11-01\ncurrency: NOK\nprices:\n  NO: 0.1\n", name="prices.yaml"
    )

    assert Decimal("0.1") * 3 == (table.price_of("NO") or 0) * 3 == Decimal("0.3")


def test_a_table_with_semicolons_and_a_date_in_each_row_has_the_oldest_date() -> None:
    table = read_price_table(
        "country;price;currency;as_of\nFR;0.1;EUR;2026-10-01\nDE;0.2;EUR;2026-09-01\n",
        name="prices.csv",
    )

    assert date(2026, 9, 1) == table.as_of
    assert Decimal("0.2") == table.price_of("DE")


def test_all_bad_rows_are_told_at_once_with_line_and_near_country() -> None:
    problems = problems_of(
        "# as of 2026-11-01\n"
        "country,sender,price,currency\n"
        'France,,"0,045",EUR\n'
        "UK,a_b,-1,USD\n"
        "FRA,,0.12345678,EUR\n"
        "DE,*,0.1,EUR\n"
        "de,,0.1,EUR\n"
        "IT,0.1\n"
        "ES,,NaN,EUR\n"
    )

    assert [
        "prices.csv:3: country: 'France' is not a country (did you mean 'FR'?)",
        "prices.csv:3: price: '0,045' is not an amount (write a decimal point: 0.045)",
        "prices.csv:4: country: 'UK' is not a country (did you mean 'GB'?)",
        "prices.csv:4: sender: 'a_b' cannot be a sender (known: *, alphanumeric, number)",
        "prices.csv:4: price: '-1' is not an amount (0 or more, in plain digits, such as 0.045)",
        "prices.csv:4: currency: is USD, the table began with EUR (one currency a table)",
        "prices.csv:5: country: 'FRA' is not a country (did you mean 'FR'?)",
        "prices.csv:5: price: '0.12345678' has too many decimals (at most 6)",
        "prices.csv:7: DE, * is there twice (also in line 6)",
        "prices.csv:8: has 2 cells, the head has 4 (quote a cell with a comma in it)",
        "prices.csv:9: price: 'NaN' is not an amount (0 or more, in plain digits, such as 0.045)",
    ] == problems


def test_yaml_is_told_with_its_lines_too() -> None:
    assert [
        "prices.yaml:1: as_of: 'soon' is not a day (write it like 2026-11-01)",
        "prices.yaml:2: currancy: unknown key (did you mean 'currency'?)",
        "prices.yaml:4: price: 'x' is not an amount (write it like 0.045)",
        "prices.yaml:5: prices.FR: is written twice",
        "prices.yaml:6: sender: 'a_b' cannot be a sender (known: *, alphanumeric, number)",
    ] == problems_of(
        "as_of: soon\ncurrancy: EUR\nprices:\n  FR: x\n  FR: 1\n  DE: {a_b: 1}\n", "prices.yaml"
    )[1:]


@pytest.mark.parametrize(
    ("text", "name", "problem"),
    [
        ("", "prices.csv", "the column 'country' is missing"),
        ("", "prices.yaml", "the day of the prices is missing"),
        ("land,price\nFR,1\n", "prices.csv", "unknown column 'land'"),
        ("country,price,price\nFR,1,1\n", "prices.csv", "'price' is there twice"),
        ('country,price\n"FR,1\n', "prices.csv", "is not CSV"),
        ("a: [", "prices.yaml", "is not YAML"),
        ("- a", "prices.yaml", "is not made of"),
        ("prices: 3", "prices.yaml", "is not a list of countries"),
        ("# as of 2026-11-01\ncountry,price\nFR,1\n", "prices.csv", "the currency is missing"),
        ("# as of 2026-11-01\n# currency EUR\ncountry,price\n", "prices.csv", "holds no price"),
        ("country,price,currency\nFR,1,eur\n", "prices.csv", "is not a currency"),
        ("country,price\nFR,1000001\n", "prices.csv", "is too much"),
    ],
)
def test_a_table_that_cannot_be_used_says_why(text: str, name: str, problem: str) -> None:
    assert any(problem in one for one in problems_of(text, name))


def test_a_misspelled_column_is_not_told_as_a_missing_currency() -> None:
    text = "# as of 2026-11-01\ncountry,prise,currency\nFR,1,EUR\n"

    assert [
        "prices.csv: unknown column 'prise' (did you mean 'price'?)",
        "prices.csv: the column 'price' is missing",
    ] == problems_of(text, "prices.csv")


def test_a_folder_holds_one_table_or_none(tmp_path: Path) -> None:
    assert read_prices(tmp_path) is None
    (tmp_path / "prices.csv").write_text(f"\ufeff{CSV}", encoding="utf-8")
    assert read_prices(tmp_path) == read_price_table(CSV, name="prices.csv")
    (tmp_path / "prices.yaml").write_text(YAML, encoding="utf-8")
    with pytest.raises(ConfigError, match="two price tables"):
        read_prices(tmp_path)


def test_a_table_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_bytes(b"country,price\n\xe9,1\n")

    with pytest.raises(ConfigError, match="cannot be read"):
        read_prices(tmp_path)


def test_the_table_of_the_examples_can_be_used(repository: Path) -> None:
    table = read_prices(repository / "dags" / "rules")

    assert table is not None
    assert table.price_of("FR", "ACME") is not None


@pytest.mark.parametrize(
    ("on", "events"),
    [
        (date(2026, 10, 31), []),
        (date(2027, 4, 30), []),
        (date(2027, 5, 1), ["prices_old"]),
        (date(2026, 10, 30), ["prices_early"]),
    ],
)
def test_old_prices_are_used_and_noted(on: date, events: list[str]) -> None:
    table = read_price_table(CSV, name="prices.csv")

    assert events == [line.event for line in table.notes(on)]


SENDERS = st.one_of(
    st.sampled_from(["", "ACME", "acme ", "number", "alphanumeric", "36111", "+36111"]),
    st.from_regex(r"[A-Za-z0-9 ]{1,11}", fullmatch=True),
)
PRICES = st.dictionaries(
    st.tuples(
        st.sampled_from(["FR", "DE", "*"]),
        st.one_of(st.sampled_from(["*", *SenderKind]), SENDERS.map(sender_key).filter(bool)),
    ),
    st.decimals(0, 10, places=4),
    max_size=12,
)


@given(prices=PRICES, country=st.sampled_from(["FR", "BR", ""]), sender=SENDERS)
def test_a_price_is_that_of_the_first_line_that_fits(
    prices: dict[tuple[str, str], Decimal], country: str, sender: str
) -> None:
    table = PriceTable(currency="EUR", as_of=date(2026, 11, 1), prices=prices)
    order = [(place, one) for place in (country, "*") for one in patterns_of(sender)]
    fitting = [prices[key] for key in order if key in prices]

    assert (fitting[0] if fitting else None) == table.price_of(country, sender)
