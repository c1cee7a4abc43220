"""The words of pages for people are there in every language that they come in, other words in each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from services.platform.paper import pages
from services.portfolio.charts import progress
from services.portfolio.formats import page
from services.portfolio.page_views import rendering as views
from services.portfolio.passes import rendering as passes

FOLDERS = [
    progress._FOLDER,
    page._FOLDER / "words",
    views._FOLDER / "words",
    passes._FOLDER / "texts",
]


def flat(words: Any, path: str = "") -> dict[str, str]:
    """Words by their path."""
    if not isinstance(words, dict):
        return {path: words}
    return {key: word for name, each in words.items() for key, word in flat(each, f"{path}.{name}").items()}


@pytest.mark.parametrize("language", pages.LANGUAGES)
@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(folder.parents[1])))
def test_each_word_is_there_in_each_language(folder: Path, language: str) -> None:
    said, english = flat(pages.words_of(folder, language)), flat(pages.words_of(folder, "en"))
    assert said.keys() == english.keys()
    assert all(said.values())
    same = [key for key, word in said.items() if word == english[key]]
    assert language == "en" or len(same) <= len(said) / 4, same
