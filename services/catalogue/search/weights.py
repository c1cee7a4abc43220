"""Every weight that ranks courses. What they mean and why: docs/ranking.md, held equal by a test.

A course scores by its words (BM25, title before text) or by a concept that the words name, whichever is
more, and a little (TIE) of the rest. No price, no payment, no shortage and no provider is among them.
"""

from __future__ import annotations

# Words, as factors of their BM25.
TITLE = 3.0  # a word in a title; 1 in subjects, occupations and description
BEGINNING = 0.5  # a word that only begins with what was typed, or is written without its stem
TIE = 0.1  # share of every other way a course was found

# Concepts, as points. A rare word in a title is worth some 15 to 20 points, in a description 3 to 8.
TAGGED = 12.0  # the course is tagged with the very concept
GROUP = 3.0  # it is tagged with another occupation of the same ISCO-08 unit group
NAMED = 0.7  # factor: title or text has another label of the concept, in any language
RELATED = 0.25  # factor: it has words that several labels of the concept share; only where little was found

ALL_PARTS = 100.0  # all that was asked for is found, where some of it would do

# How surely words name a concept, as factors of the three above.
PREFERRED = 1.0
ALTERNATIVE = 0.9
STEMMED = 0.7  # the same stems, in other forms
SIMILAR = 0.6  # but for an error in typing
DESCRIBED = 0.4  # no label, but labels and description of the concept have words of it

# Search by meaning, where it is on: words and meaning each give 1 / (FUSED + place).
FUSED = 60
