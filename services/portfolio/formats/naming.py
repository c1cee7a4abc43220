"""What in a text names a person, in whichever spelling."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from waymark.portfolio.v1.holder_pb2 import Contact, Holder

HIDDEN = "…"
# Words of names that are words of a language as well: alone they name nobody.
_WORDS = (
    "af al av da das de del della den der des di do dos du el en het in la las le les los of op te ten ter"
    " the tot und van vom von zu zum zur"
)
_SMALL = frozenset(_WORDS.split())
_PLAIN = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i"})
_SPELLED = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
_WORD = re.compile("[^ 0-9]+")  # of a folded text
_LONGEST = 100  # letters of names run together; finding them costs the square of that
_DIVIDED = " {0,3}"  # what stands, once folded, between the digits of a number
_TOLD_BY = 8  # digits at the end of a telephone number, alike with and without the codes before them


class _Folding(dict[int, str]):
    """Letters without accents in lower case, digits of ASCII, a blank for whatever separates words; the same
    for each spelling of a text. For str.translate."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = "".join(map(_folded, _without_marks(chr(code))))
        return folded


class Naming:
    """What names a holder: given and family names, each of their words, also in another case, without or with
    other accents, hyphens and apostrophes, run together and as a genitive in `s`; the e-mail address and its
    part before the `@`; the telephone number, however it is divided, with whichever codes before it.

    Words of names that are words of a language (`van`, `de`) and letters alone count beside others only.
    """

    def __init__(self, holder: Holder) -> None:
        self._folding = _Folding()
        self._telling: set[str] = set()
        self._small: set[str] = set()
        for name in (holder.given_name, holder.family_name):
            self._learn(unicodedata.normalize("NFC", name).casefold())
        self._pieces = dict.fromkeys(self._telling, True) | dict.fromkeys(self._small, False)
        self._known: dict[str, bool] = {}
        every = (*self._reached(holder.contact), *self._unparted())
        self._pattern = re.compile("|".join(every) or "(?!)")

    def within(self, text: str) -> bool:
        """Returns whether a text names the holder."""
        return any(self._spans(text.translate(self._folding)))

    def without(self, text: str) -> str:
        """Returns a text with HIDDEN in the place of what names the holder."""
        found = sorted(self._spans(text.translate(self._folding)))
        if not found:
            return text
        places = [place for place, letter in enumerate(text) for _ in self._folding[ord(letter)]]
        places.append(len(text))
        parts, at = [""], 0
        for start, end in found:
            if not at or places[start] >= at:
                parts += [text[at : places[start]], HIDDEN]
            at = max(at, places[end])
        return "".join([*parts, text[at:]])

    def _spans(self, folded: str) -> Iterator[tuple[int, int]]:
        """Yields where something names the holder; one place may lie within another."""
        yield from (each.span() for each in self._pattern.finditer(folded))
        begun, ended = 0, -2
        for each in _WORD.finditer(folded):
            tells = self._tells(each[0])
            if not tells and each[0] not in self._small:
                continue
            if each.start() > ended + 1:
                begun = each.start()
            ended = each.end()
            if tells:
                yield begun, ended

    def _learn(self, name: str) -> None:
        for spelled in (name, name.translate(_SPELLED)):
            words = _WORD.findall(spelled.translate(self._folding))
            long = {word for word in words if len(word) > 1}
            telling = long - _SMALL or long  # `Le` alone is a name all the same
            self._telling |= telling | set(map(_bare, telling))
            self._small |= set(words) - telling

    def _tells(self, word: str) -> bool:
        if word not in self._known:
            stem = word.removesuffix("s") if len(word) > 3 else word  # `was` is none of `Wa`
            forms = {word, _bare(word), stem, _bare(stem)}
            self._known[word] = not forms.isdisjoint(self._telling) or any(map(self._is_of_names, forms))
        return self._known[word]

    def _is_of_names(self, word: str) -> bool:
        """Returns whether a word is several of names run together."""
        if len(word) > _LONGEST:
            return False
        # By place: whether a telling word led there.
        ways: list[set[bool]] = [{False}, *(set() for _ in word)]
        for place, told in enumerate(ways):
            for piece, tells in self._pieces.items() if told else ():
                if word.startswith(piece, place):
                    ways[place + len(piece)] |= {each or tells for each in told}
        return True in ways[-1]

    def _unparted(self) -> Iterator[str]:
        """Yields a pattern for writings that do not part words, or put prefixes before names."""
        surname, given = (
            "|".join(sorted((word for word in words if word.upper() == word), key=len, reverse=True))
            for words in (self._small, self._telling)
        )
        if given:
            yield f"(?:{surname})?(?:{given})"

    def _reached(self, contact: Contact) -> Iterator[str]:
        for address in filter(None, (contact.email, contact.email.partition("@")[0])):
            words = address.translate(self._folding).split()
            if len("".join(words)) > 2:
                yield rf"(?<!\S){' ?'.join(map(re.escape, words))}(?!\S)"
        for number in re.split(r"[^\W\d_]+|[,;]", contact.phone):
            digits = "".join(filter(str.isdigit, number.translate(self._folding)))[-_TOLD_BY:]
            before = f"(?:[0-9]{_DIVIDED}){{0,7}}" if len(digits) == _TOLD_BY else "(?<![0-9])"
            if len(digits) > 2:
                yield f"{before}{_DIVIDED.join(digits)}(?![0-9])"


def _without_marks(letter: str) -> str:
    marked = unicodedata.normalize("NFKD", letter)
    bare = "".join(each for each in marked if not unicodedata.combining(each))
    return unicodedata.normalize("NFC", bare).casefold().translate(_PLAIN)


def _folded(letter: str) -> str:
    if letter.isdecimal():
        return str(unicodedata.decimal(letter))
    category = unicodedata.category(letter)
    if category == "Cf":  # joins or parts letters unseen
        return ""
    return letter if category[0] in "LM" else " "


def _bare(word: str) -> str:
    """Returns a word as it is without the dots of umlauts: of `mueller` as of `müller` that is `muller`."""
    return re.sub("([aou])e", r"\1", word) if len(word) > 3 else word
