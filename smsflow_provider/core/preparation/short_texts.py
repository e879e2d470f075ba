"""A few short texts that stand in very many rows, as numbers of two bytes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from smsflow_provider.core.errors import ConfigError

#: Different senders one delivery can have; as many details of exclusions. "None" is one of them.
MOST_TEXTS: Final = 2**16


class ShortTexts:
    """
    Numbers texts as they come. 0 is the empty text, and what has none.

    Args:
        label: What an error calls them.

    Example:
        >>> regions = ShortTexts("regions")
        >>> regions.code_of("FR"), regions.code_of("BE"), regions.code_of("FR"), regions[2]
        (1, 2, 1, 'BE')
    """

    def __init__(self, label: str) -> None:
        self._label = label
        self._texts = [""]
        self._codes = {"": 0}

    def __getitem__(self, code: int) -> str:
        return self._texts[code]

    def __len__(self) -> int:
        return len(self._texts)

    @property
    def texts(self) -> list[str]:
        """All texts, the empty one first."""
        return list(self._texts)

    def code_of(self, text: str) -> int:
        """
        Number one text.

        Raises:
            ConfigError: There are too many different ones.
        """
        code = self._codes.setdefault(text, len(self._texts))
        if code == len(self._texts):
            if code >= MOST_TEXTS:
                raise ConfigError(f"there are too many different {self._label}", most=MOST_TEXTS)
            self._texts.append(text)
        return code

    def codes_of(self, values: pl.Series) -> NDArray[np.uint16]:
        """Number the texts of a column (text, categories or an enumeration); null is 0."""
        texts = values.cast(pl.String).fill_null("")
        for text in texts.unique(maintain_order=True):
            self.code_of(text)
        places: NDArray[Any] = texts.cast(self._enum()).to_physical().to_numpy()
        return places.astype(np.uint16)

    def texts_of(self, codes: NDArray[np.uint16]) -> pl.Series:
        """Give the texts of numbers, as an enumeration."""
        return pl.Series(codes).cat.to(self._enum())

    def _enum(self) -> pl.Enum:
        return pl.Enum(self._texts)
