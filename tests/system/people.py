"""Five thousand people whose texts try everything a text can hold."""

from __future__ import annotations

from random import Random

import psycopg

from smsflow_provider.core.content.encoding import measure

NAMES = ("Zoé", "Ángel", "Łukasz", "Ève", "Bob", "Gülşen", "Ana", "Måns", "Дарья", "李娜")
NOTES = (
    "votre colis arrive à 10 h, 5 € à payer",
    "[code] {1234} ~ ^ \\ | € fin",
    "été à 5€, ça va ? « oui »",
    "party 🎉 at 8, bring 👩‍👩‍👧 and 🇫🇷",
    '50% off + free shipping & more = <win> "now"',
    "@home £5 $6 ¥7 §8 ¿que? ¡ya!",
    "two lines\nof text",
    "ç ê ô œ “quoted” – dash…",
    "plain",
)


def make_people(count: int, *, seed: int) -> list[tuple[int, str, str, str]]:
    """Make (id, phone, first name, note); every number differs and is valid."""
    random = Random(seed)
    return [(n, f"06{10_000_000 + n * 7:08d}", *_words(n, random)) for n in range(1, count + 1)]


def _words(n: int, random: Random) -> tuple[str, str]:
    name = NAMES[n % len(NAMES)]
    if n % 10 == 0:
        return name, _filled_to(f"{name}: ", 161)
    if n % 10 == 1:
        return name, NOTES[3] + " " + "🎉" * random.randint(0, 40)
    if n % 10 == 2:
        return name, NOTES[1] + " " + "€" * random.randint(0, 100)
    return name, f"{random.choice(NOTES)} {n}"


def _filled_to(head: str, units: int) -> str:
    """Fill a text to exactly *units* units, so that it just needs another part."""
    rest = units - measure(head).units
    return "x" * rest


def write_people(dsn: str) -> None:
    """Fill the tables ``few`` (60 people, some without a usable number) and ``many`` (5,000)."""
    with psycopg.connect(dsn) as connection:
        for table, people in (("few", _flawed(60)), ("many", make_people(5000, seed=1))):
            connection.execute(
                f"CREATE TABLE {table} (id int PRIMARY KEY, phone text, first_name text,"
                " note text)".encode()
            )
            with connection.cursor() as cursor:
                cursor.executemany(
                    f"INSERT INTO {table} VALUES (%s, %s, %s, %s)".encode(),  # noqa: S608  ours
                    people,
                )


def _flawed(count: int) -> list[tuple[int, str | None, str, str]]:
    people: list[tuple[int, str | None, str, str]] = list(make_people(count, seed=2))
    people[4] = (people[4][0], None, *people[4][2:])
    people[5] = (people[5][0], "12", *people[5][2:])
    people[6] = (people[6][0], people[0][1], *people[6][2:])
    return people
