"""What users corrected is found at once, exactly first, and by its wording otherwise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from chatseq.bots.responder import Correction
from chatseq_qa import correction_index as module
from chatseq_qa.correction_index import CorrectionIndex
from chatseq_qa.question_index import QuestionIndex, ids_of

CORRECTIONS = (
    Correction("How much is the ticket?", "5 euros"),
    Correction("where is the station", "behind the park"),
    Correction("你们几点开门？", "九点"),
    Correction("HOW MUCH IS THE TICKET?", "4 euros, once"),
    Correction("C++", "a language"),
)


def memory_of(*corrections: Correction) -> CorrectionIndex:
    return CorrectionIndex(lambda: corrections)


def answers(memory: CorrectionIndex, question: str, most: int = 1) -> list[str]:
    return [found.correction.answer for found in memory.search(question, most)]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how much is the ticket?", "5 euros"),
        (" How much is the TICKET? ", "5 euros"),
        ("where is the station", "behind the park"),
        ("你们几点开门？", "九点"),
        ("c++", "a language"),
    ],
)
def test_the_very_question_finds_its_first_correction(question: str, answer: str) -> None:
    found = memory_of(*CORRECTIONS).search(question)
    assert [(each.correction.answer, each.similarity) for each in found] == [(answer, 1.0)]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("how much is a tiket", "5 euros"),
        ("the station, where is it?", "behind the park"),
        ("几点开门", "九点"),
    ],
)
def test_another_wording_finds_it_with_less(question: str, answer: str) -> None:
    [found] = memory_of(*CORRECTIONS).search(question)
    assert found.correction.answer == answer
    assert 0.3 < found.similarity < 1


def test_punctuation_makes_no_difference() -> None:
    assert memory_of(*CORRECTIONS).search("Where is the station?!")[0].similarity == 1.0


def test_the_very_words_come_before_what_only_looks_alike() -> None:
    memory = memory_of(Correction("stop!", "with a mark"), Correction("stop", "without"))
    assert answers(memory, "Stop", 2) == ["without", "with a mark"]
    assert answers(memory, "stop!", 1) == ["with a mark"]


def test_best_come_first_and_no_more_than_asked_for() -> None:
    memory = memory_of(*CORRECTIONS)
    found = memory.search("where is the ticket", 3)
    assert len(found) == 3
    assert [each.similarity for each in found] == sorted(
        (each.similarity for each in found), reverse=True
    )


@pytest.mark.parametrize("question", ["", "  ", "zzz", "\ud800"])
def test_what_has_nothing_in_common_finds_nothing(question: str) -> None:
    assert memory_of(*CORRECTIONS).search(question) == []


def test_nothing_is_found_while_nothing_was_corrected() -> None:
    assert memory_of().search("how much is the ticket?") == []


def test_a_correction_is_known_with_the_next_question() -> None:
    known: list[Correction] = []
    memory = CorrectionIndex(lambda: tuple(known))
    assert answers(memory, "where is the station") == []
    known.append(CORRECTIONS[1])
    assert answers(memory, "where is the station") == ["behind the park"]
    known[0] = Correction("where is the station", "it has moved")
    assert answers(memory, "where is the station") == ["it has moved"]
    known.clear()
    assert answers(memory, "where is the station") == []


def test_a_list_that_is_changed_in_place_is_seen() -> None:
    known = [CORRECTIONS[0]]
    memory = CorrectionIndex(lambda: known)
    assert answers(memory, "where is the station, please") == ["5 euros"]
    known[0] = CORRECTIONS[1]
    assert answers(memory, "where is the station, please") == ["behind the park"]


def test_questions_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def counted(text: str) -> object:
        read.append(text)
        return ids_of(text)

    monkeypatch.setattr(module, "ids_of", counted)
    known = CORRECTIONS[:1]
    memory = CorrectionIndex(lambda: known)
    for _ in range(2):
        memory.search("a")
    known = CORRECTIONS[:2]
    memory.search("a")
    assert [text for text in read if text != "a"] == [each.question for each in CORRECTIONS[:2]]


def test_similarity_is_as_of_an_index_with_the_same_weights(tmp_path: Path) -> None:
    questions = [each.question for each in CORRECTIONS]
    QuestionIndex.build(tmp_path, questions)
    index = QuestionIndex(tmp_path)
    memory = CorrectionIndex(lambda: CORRECTIONS, index.weigh)
    for question in ("where can I buy a ticket", "the station is much", "开门"):
        wanted = [match.similarity for match in index.search(question, 9)]
        assert [found.similarity for found in memory.search(question, 9)] == wanted


def test_without_a_corpus_all_words_weigh_alike() -> None:
    # "a" is one of the grams of "a b", which are two words and half a pair.
    [found] = memory_of(Correction("a b", "x")).search("a")
    assert found.similarity == pytest.approx(math.sqrt(1 / 2.5), abs=1e-5)


def test_thousands_are_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    words = [f"w{at}" for at in range(500)]
    many: Sequence[Correction] = tuple(
        Correction(" ".join(rng.choice(words, 6)), str(at)) for at in range(3000)
    )
    memory = CorrectionIndex(lambda: many)
    for at in (0, 1500, 2999):
        assert answers(memory, many[at].question.upper()) == [str(at)]
