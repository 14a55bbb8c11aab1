"""Each check of tokenizers finds the tokenizer that breaks just this, and no other check does."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from kit.small_parts import BYTES, FollowsASet, Learnt, WholeAnswers
from mutants import assert_found, assert_proved, found_by, mutant

from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID


def part_of(learnt: type[Learnt]) -> Any:
    """Return a part that learns such tokenizers."""
    return type(learnt.__name__, (WholeAnswers,), {"learnt": learnt, "__doc__": "Be wrong."})


class DropsSpaces(Learnt):
    def encode(self, text: str) -> list[int]:
        return super().encode(text.strip())


class CountsTooFew(Learnt):
    @property
    def size(self) -> int:
        return FIRST_FREE_ID + 100


class SpeaksTheEndMark(Learnt):
    def spelt(self, at: int) -> bytes:
        return b"." if at == END_ID else super().spelt(at)


class SamplesInCapitals(Learnt):
    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        return self.encode(text.upper() if seed == 2 else text)


class ChokesOnBytes(Learnt):
    def decode(self, ids: Sequence[int]) -> str:
        text = super().decode(ids)
        if "\ufffd" in text.rstrip("\ufffd"):
            raise UnicodeDecodeError("utf-8", b"", 0, 1, "a byte is out of place")
        return text


class WritesBackwards(Learnt):
    def encode(self, text: str) -> list[int]:
        return super().encode(text)[::-1]

    def decode(self, ids: Sequence[int]) -> str:
        words = [i for i in ids if i >= FIRST_FREE_ID + BYTES]
        return super().decode(words or ids[::-1])


class LeavesPiecesOut(Learnt):
    def pieces(self, ids: Sequence[int]) -> list[str]:
        return super().pieces([i for i in ids if i != END_ID])


class LearnsTwice(WholeAnswers):
    def chosen(self, answers: Iterable[str]) -> list[str]:
        once, twice = list(dict.fromkeys(answers)), list(answers)
        return once[::-1] if twice else once


class ForgetsWords(Learnt):
    def to_json(self) -> str:
        return Learnt(self.words[:1]).to_json()


class TakesAnything(WholeAnswers):
    def load(self, text: str) -> Learnt:
        return super().load(text if text.startswith('{"words"') else '{"words": []}')


MUTANTS = {
    "every text comes back": mutant(part_of(DropsSpaces), "' ' comes back as ''"),
    "ids are within its size and no marks": mutant(part_of(CountsTooFew), "has the ids"),
    "marks give no text": mutant(part_of(SpeaksTheEndMark), "comes back as 'train a bot.'"),
    "a random segmentation is the same text": mutant(part_of(SamplesInCapitals), "a sample of 'a'"),
    "any ids are decoded": mutant(part_of(ChokesOnBytes), "UnicodeDecodeError"),
    "what is shown of a growing text stays": mutant(part_of(WritesBackwards), "shown at first"),
    "each id has a piece": mutant(part_of(LeavesPiecesOut), "pieces"),
    "the same texts teach the same": mutant(LearnsTwice, "the same texts give two tokenizers"),
    "other processes learn the same": mutant(FollowsASet, "two processes learn two tokenizers"),
    "a stored tokenizer is the same": mutant(part_of(ForgetsWords), "ids are stored"),
    "what is no tokenizer is refused": mutant(TakesAnything, "is no TokenizerError"),
}


def test_every_check_has_its_mutant() -> None:
    assert_proved("tokenizer", MUTANTS)


def test_an_honest_tokenizer_breaks_nothing() -> None:
    assert found_by("tokenizer", WholeAnswers) == {}


@pytest.mark.slow("every check on every mutant; they change only with the kit")
@pytest.mark.parametrize("check", MUTANTS)
def test_a_check_finds_its_mutant_and_is_alone(check: str) -> None:
    assert_found("tokenizer", check, MUTANTS[check])


# Further ways to be wrong, of which several checks may tell.


class DrawsByCounting(Learnt):
    draws = itertools.count()

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        word = FIRST_FREE_ID + BYTES
        return [word] * (next(self.draws) % 2) + self.encode(text)


class HalfCharacters(Learnt):
    def decode(self, ids: Sequence[int]) -> str:
        return b"".join(map(self.spelt, ids)).decode(errors="surrogateescape")


class NumpyIds(Learnt):
    def encode(self, text: str) -> list[int]:
        return [float(i) for i in super().encode(text)]  # type: ignore[misc]


class SpellsBytesAlone(Learnt):
    def spelt(self, at: int) -> bytes:
        return b"" if at < FIRST_FREE_ID else bytes([(at - FIRST_FREE_ID) % BYTES])


class LearnsNothing(WholeAnswers):
    """Is content with no texts."""

    def learn(self, questions: Iterable[str], answers: Iterable[str] = ()) -> Learnt:
        return Learnt(self.chosen(answers))


@pytest.mark.parametrize(
    ("wrong", "check", "told"),
    [
        (part_of(DrawsByCounting), "a random segmentation is the same text", "sample"),
        (part_of(HalfCharacters), "any ids are decoded", "half a character"),
        (part_of(NumpyIds), "ids are within its size and no marks", "has the ids [35.0], of"),
        (part_of(SpellsBytesAlone), "every text comes back", "comes back as"),
        (LearnsNothing, "what is no tokenizer is refused", "learning from []"),
    ],
)
def test_another_fault_is_found(wrong: type, check: str, told: str) -> None:
    assert told in found_by("tokenizer", wrong)[check]


def test_a_tokenizer_that_cannot_be_imported_is_told_so() -> None:
    from chatseq.testing import check_part

    outcomes = {o.check.name: o for o in check_part("tokenizer", part_of(Learnt))}
    outcome = outcomes["other processes learn the same"]
    assert (outcome.result, outcome.reason) == (
        "not applicable",
        "Learnt cannot be imported by another process",
    )
