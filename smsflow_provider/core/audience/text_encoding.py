"""How the characters of a text file are written: what it says itself, and what it may be."""

from __future__ import annotations

import codecs
import io
from typing import Any

from smsflow_provider.core.errors import AudienceError

#: Byte order marks, the longer first: the mark of UTF-32 begins as that of UTF-16 does.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings that files without a mark are often in, and where they come from.
_USUAL = (
    ("cp1252", "Western Europe, Windows"),
    ("cp1250", "Central Europe, Windows"),
    ("cp1251", "Cyrillic, Windows"),
    ("cp1253", "Greek, Windows"),
    ("cp1254", "Turkish, Windows"),
    ("mac_roman", "old Macintosh"),
    ("cp850", "Western Europe, DOS"),
    ("gb18030", "Chinese"),
    ("shift_jis", "Japanese"),
)
_PUNCTUATION = "'’‘“”«»–—…€£°ºª№"  # noqa: RUF001  as people write them
#: Suggestions of one error.
_MOST = 3


def encoding_of(head: bytes, *, stated: str | None, label: str) -> str:
    """
    Decide how a file is written: by its mark, by what somebody stated, else UTF-8.

    Nothing is guessed from the letters: a wrong guess would garble names without a word.

    Args:
        head: How the file begins.
        stated: What a person said. None: nothing.
        label: The file's name, for errors.

    Raises:
        AudienceError: The mark says otherwise than the person, or it can only be UTF-16 without
            a mark and nobody said which.
    """
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if marked and stated and not _is_kin(stated, marked):
        raise AudienceError(
            "the file's mark says another encoding than its options: leave the encoding out",
            file=label,
            marked=marked,
            stated=stated,
        )
    if not marked and not stated and b"\0" in head:
        raise AudienceError(
            "the file is no UTF-8 text: state its encoding",
            file=label,
            likely=["utf-16-le", "utf-16-be"],
        )
    return stated or marked or "utf-8"


def _is_kin(stated: str, marked: str) -> bool:
    return codecs.lookup(stated).name.startswith(marked)


def likely_encodings(sample: bytes) -> list[str]:
    r"""
    Name the usual encodings in which *sample* is made of letters; the most usual first.

    For a person to choose from: several often fit, and only a reader of the names can tell.

    Example:
        >>> likely_encodings("id;name\n1;José\n".encode("cp1252"))[0]
        'cp1252 (Western Europe, Windows)'
    """
    found = [f"{name} ({place})" for name, place in _USUAL if _reads_well(sample, name)]
    return found[:_MOST]


def _reads_well(sample: bytes, encoding: str) -> bool:
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(sample)
    except UnicodeError:
        return False
    beyond = [char for char in text if not char.isascii()]
    return all(char.isalpha() or char in _PUNCTUATION for char in beyond)


class _Over(io.RawIOBase):
    """A file read through another one, which it does not close."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def readable(self) -> bool:
        """It is there to be read."""
        return True


class Counted(_Over):
    """
    A file that counts its quotes while it is read. In a sound CSV they are even.

    Args:
        raw: The file.
    """

    def __init__(self, raw: Any) -> None:
        super().__init__(raw)
        self.quotes = 0

    def readinto(self, into: Any, /) -> int:
        """Fill *into* with what comes next; 0: the end."""
        chunk: bytes = self._raw.read(len(into))
        self.quotes += chunk.count(b'"')
        into[: len(chunk)] = chunk
        return len(chunk)


class Escaped(_Over):
    """
    A file of any encoding as UTF-8, in which bytes that are no text stay visibly no text.

    Args:
        raw: The file.
        encoding: How it is written.
    """

    def __init__(self, raw: Any, *, encoding: str) -> None:
        super().__init__(raw)
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="surrogateescape")
        self._left = b""
        self._is_over = False

    def readinto(self, into: Any, /) -> int:
        """Fill *into* with what comes next; 0: the end."""
        while not self._left and not self._is_over:
            chunk: bytes = self._raw.read(len(into))
            self._is_over = not chunk
            text = self._decoder.decode(chunk, final=self._is_over)
            # A surrogate written out is no UTF-8, so whoever reads on sees the bad place.
            self._left = text.encode("utf-8", "surrogatepass")
        piece, self._left = self._left[: len(into)], self._left[len(into) :]
        into[: len(piece)] = piece
        return len(piece)
