"""Labels of occupations made comparable: case, accents, punctuation and, where wanted, word endings aside."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

import Stemmer

# Letters and digits of any alphabet, + and #. Those of ASCII first: a set is looked up faster than a class.
_WORD = re.compile(r"(?:[a-z0-9+#]++|[^\W_])++")
# What these leave of a text of ASCII alone, each other character a space: four times as fast.
_SPACED = "".join(each if _WORD.fullmatch(each) else " " for each in map(chr, range(128)))
# Languages with word stems, by what Snowball calls them.
STEMMERS = {
    "en": "english",
    "fr": "french",
    "de": "german",
    "nl": "dutch",
    "es": "spanish",
    "et": "estonian",
    "pl": "polish",
}


def normal(text: str) -> str:
    """Returns the words of `text` in lower case without accents, one space apart."""
    return " ".join(words(text))


def words(text: str) -> list[str]:
    """Splits into words as `normal` knows them."""
    text = folded(text)
    return text.translate(_SPACED).split() if text.isascii() else _WORD.findall(text)


def written(text: str) -> list[str]:
    """Splits into words in lower case with their accents, as a stemmer wants them."""
    return _WORD.findall(text.lower())


def folded(text: str) -> str:
    """Returns the text in lower case without accents."""
    if not text.isascii():
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return text.lower()


@lru_cache(maxsize=200_000)
def stem(word: str, language: str) -> str:
    """Returns the stem of a word (Snowball); the word itself for a language without stemmer."""
    if language not in STEMMERS:
        return word
    # A stemmer holds state, so threads cannot share one; making one takes three microseconds.
    stemmed: str = Stemmer.Stemmer(STEMMERS[language]).stemWord(word)
    return stemmed


def stems(text: str, language: str) -> str:
    """Returns the stems of the words of `text`, one space apart."""
    return " ".join([stem(word, language) for word in words(text)])
