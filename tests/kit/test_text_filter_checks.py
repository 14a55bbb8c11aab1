"""Each check of text filters finds the filter that breaks just this, and no other check does."""

from __future__ import annotations

import random
import re
from itertools import count

import pytest
from kit.small_parts import FollowsASetOfWords, Lower
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.testing.checks.text_filter import TEXTS


class GivesWords(Lower):
    def __call__(self, text: str) -> str:
        return text.split() if text in TEXTS else text  # type: ignore[return-value]


class Counts(Lower):
    def __init__(self) -> None:
        self.numbers = count()

    def __call__(self, text: str) -> str:
        if text == TEXTS[0]:
            return f"{text} {next(self.numbers)}"
        return super().__call__(text)


class DoublesMarks(Lower):
    def __call__(self, text: str) -> str:
        return super().__call__(text).replace("!", "!!", 1) if "???" in text else text


class AsksByItself(Lower):
    def __call__(self, text: str) -> str:
        return super().__call__(text) or "help"


class WritesBytes(Lower):
    def __call__(self, text: str) -> str:
        return super().__call__(text).encode().decode()


class TriesEveryEnd(Lower):
    """Look for an address with a pattern that goes back and forth."""

    pattern = re.compile(r"[a-z]+@[a-z]+[.]de")

    def __call__(self, text: str) -> str:
        return self.pattern.sub("<email>", super().__call__(text))


MUTANTS = {
    "text comes out": mutant(
        GivesWords,
        "gives ['How', 'do',",
    ),
    "the same text gives the same": mutant(
        Counts, "a new pasword? 0', and then", "what is filtered stays"
    ),
    "what is filtered stays": mutant(DoublesMarks, "and that gives"),
    "nothing stays nothing": mutant(AsksByItself, "an empty text gives 'help'"),
    "any text is taken": mutant(
        WritesBytes,
        r"'\ud800' raises UnicodeEncodeError",
        "what is filtered stays",
        "long texts take no more than their share",
    ),
    "long texts take no more than their share": mutant(TriesEveryEnd, "of 'a'"),
    "other processes give the same": mutant(FollowsASetOfWords, "in another process"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("text-filter", MUTANTS)


def test_an_honest_filter_breaks_nothing() -> None:
    assert found_by("text-filter", Lower) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("text-filter", check, MUTANTS[check])


# Further ways to be wrong.


class Throws(Lower):
    """Swap letters by chance."""

    def __call__(self, text: str) -> str:
        letters = list(text)
        random.shuffle(letters)
        return "".join(letters)


class TrimsOneSpace(Lower):
    """Take one space away, and another the next time."""

    def __call__(self, text: str) -> str:
        return text.removeprefix(" ")


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Throws, "the same text gives the same"),
        (TrimsOneSpace, "what is filtered stays"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str) -> None:
    assert check in found_by("text-filter", wrong)
