"""The index of questions: what is found, how alike it is said to be, and what is on the disk."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from chatseq_qa import postings
from chatseq_qa.postings import Match
from chatseq_qa.question_index import QuestionIndex, ids_of

QUESTIONS = [
    "How do I reset my password?",
    "Where can I see my balance?",
    "how do i reset my password",
    "Can I pay by card?",
    "你们几点开门？",
    "周末开门吗？",
    "",
    "😀",
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> QuestionIndex:
    return built(tmp_path_factory.mktemp("index"), QUESTIONS)


def built(folder: Path, questions: list[str]) -> QuestionIndex:
    QuestionIndex.build(folder, questions)
    return QuestionIndex(folder)


def numbers(found: list[Match]) -> list[int]:
    return [match.number for match in found]


@pytest.mark.parametrize("at", [at for at, text in enumerate(QUESTIONS) if text])
def test_an_exact_copy_comes_first_with_similarity_one(index: QuestionIndex, at: int) -> None:
    best = index.search(QUESTIONS[at], 3)[0]
    assert best.similarity == 1.0
    assert QUESTIONS[best.number].lower().strip("?") == QUESTIONS[at].lower().strip("?")


def test_equal_ones_come_in_the_order_of_the_corpus(index: QuestionIndex) -> None:
    assert index.search("reset my password how do i", 2) != []
    found = index.search("HOW DO I RESET MY PASSWORD", 2)
    assert found == [Match(0, 1.0), Match(2, 1.0)]
    assert index.search("how do i reset my password", 1) == [Match(0, 1.0)]


@pytest.mark.parametrize(
    ("question", "at"),
    [
        ("my pasword, how do I reset it", 0),
        ("balence??", 1),
        ("cards", 3),
        ("几点开门", 4),
        ("开门吗", 5),
        ("so 😀", 7),
    ],
)
def test_another_wording_finds_its_question(index: QuestionIndex, question: str, at: int) -> None:
    best = index.search(question, 2)[0]
    assert best.number == at
    assert 0 < best.similarity < 1


def test_matches_are_best_first_and_no_more_than_asked_for(index: QuestionIndex) -> None:
    for most in (1, 2, 5, 100):
        found = index.search("how can I see my password", most)
        assert len(found) == min(most, 4)  # the others have nothing in common with it
        order = [(-match.similarity, match.number) for match in found]
        assert order == sorted(order)


@pytest.mark.parametrize("question", ["", "  ", "zzz", "\ud800", "？"])
def test_what_has_nothing_in_common_finds_nothing(index: QuestionIndex, question: str) -> None:
    assert index.search(question, 5) == []


def test_an_endless_question_is_answered(index: QuestionIndex) -> None:
    assert numbers(index.search("password " * 2500, 1)) in ([0], [2])


def test_the_similarity_is_what_both_share_over_the_mean_of_both(tmp_path: Path) -> None:
    index = built(tmp_path, ["a b", "a", "c"])
    # Rarity as in BM25: ln(1 + (3 - n + 0.5) / (n + 0.5)) for a gram that n of 3 questions hold.
    once, twice, never = math.log(1 + 2.5 / 1.5), math.log(1 + 1.5 / 2.5), math.log(1 + 3.5 / 0.5)
    # "a b" is the words a and b, and their pair, which counts half; pieces have three letters.
    asked = twice + once + 0.5 * once
    assert index.search("a b", 3) == [
        Match(0, 1.0),
        Match(1, pytest.approx(math.sqrt(twice / asked), abs=1e-5)),
    ]
    unknown = twice + never + 0.5 * never
    assert index.search("a z", 3)[0] == (1, pytest.approx(math.sqrt(twice / unknown), abs=1e-5))


def test_similarity_does_not_depend_on_who_asks(index: QuestionIndex) -> None:
    there = {match.number: match.similarity for match in index.search(QUESTIONS[0], 9)}
    back = {match.number: match.similarity for match in index.search(QUESTIONS[1], 9)}
    assert there[1] == pytest.approx(back[0], abs=1e-5)


def test_rare_words_tell_more_than_frequent_ones(tmp_path: Path) -> None:
    frequent = [f"where is my {thing}" for thing in ("cat", "dog", "owl", "fox", "hen")]
    index = built(tmp_path, [*frequent, "the yak"])
    assert numbers(index.search("where is my yak", 1)) == [5]


def everything(folder: Path, question: str, count: int) -> list[Match]:
    """Return the similarity of all questions, by adding up what each shares."""
    index = QuestionIndex(folder)
    asked = ids_of(question)
    weights = dict(zip(asked.tolist(), index.weigh(asked).tolist(), strict=True))
    found = []
    for number in range(count):
        own = ids_of(QUESTIONS_OF_MANY[number])
        shared = sum(weights.get(gram, 0.0) for gram in own.tolist())
        whole = sum(weights.values()) * float(index.weigh(own).sum())
        if shared:
            found.append(Match(number, round(shared / math.sqrt(whole), 5)))
    return sorted(found, key=lambda match: (-match.similarity, match.number))


_WHO = ("cat", "dog", "horse", "sparrow", "teacher", "neighbour", "你", "我")
_DOES = ("sees", "likes", "finds", "forgets", "借", "买")
QUESTIONS_OF_MANY = [f"the {a} {b} the {c}" for a in _WHO for b in _DOES for c in _WHO]


def test_the_search_finds_what_comparing_with_all_would(tmp_path: Path) -> None:
    index = built(tmp_path, QUESTIONS_OF_MANY)
    for question in ("a sparrow likes dogs", "the techer forgets the cat", "我买", "sees"):
        found = index.search(question, 20)
        wanted = everything(tmp_path, question, len(QUESTIONS_OF_MANY))[: len(found)]
        assert len(found) == 20
        assert [m.similarity for m in found] == pytest.approx([s for _, s in wanted], abs=2e-5)
        assert found[0].number == wanted[0].number


def test_grams_that_most_questions_hold_are_looked_up_in_the_best_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index = built(tmp_path, QUESTIONS_OF_MANY)
    question = "the neighbour finds the sparrow"
    wanted = index.search(question, 8)
    monkeypatch.setattr(postings, "_ALWAYS_READ", 1)
    monkeypatch.setattr(postings, "_READ_A_QUESTION", 1)
    read: list[int] = []
    looked_up = postings.Postings._holds

    def counted(self: postings.Postings, gram: int, some: object) -> object:
        read.append(gram)
        return looked_up(self, gram, some)  # type: ignore[arg-type]

    monkeypatch.setattr(postings.Postings, "_holds", counted)
    assert index.search(question, 8) == wanted
    assert len(read) >= 2  # the word "the" and its pieces, at least


def test_its_weights_are_those_of_bm25s(tmp_path: Path) -> None:
    """The search of the library itself, each score divided by the norm, says the same."""
    from bm25s import BM25

    index = built(tmp_path, ["a b", "b c", "c d e", "a"])
    texts = [["a", "b", "a b"], ["b", "c", "b c"], ["c", "d", "e", "c d", "d e"], ["a"]]
    bm25 = BM25(k1=0, b=0, method="lucene")
    bm25.index(texts, show_progress=False)
    for text, words in (("a b", ["a", "b"]), ("c", ["c"])):
        scores = bm25.get_scores(words)
        ids = ids_of(text)
        weights = index.weigh(ids)[: len(words)]  # the words come first
        order = np.argsort([ids_of(word)[0] for word in words])
        each = [float(bm25.get_scores([words[at]]).max()) for at in order]
        assert weights.tolist() == pytest.approx(each)
        assert scores.max() == pytest.approx(sum(weights))


def test_grams_that_no_question_holds_weigh_most(index: QuestionIndex) -> None:
    known, unknown = index.weigh(ids_of("password"))[0], index.weigh(ids_of("zebra"))[0]
    assert unknown == pytest.approx(math.log(1 + 8.5 / 0.5))
    assert known < unknown


def test_only_the_first_pairs_are_looked_at_where_that_is_wanted(index: QuestionIndex) -> None:
    assert numbers(index.search("how do i reset my password", 3, first=3)) == [0, 2, 1]
    assert numbers(index.search("how do i reset my password", 3, first=1)) == [0]
    assert index.search("can I pay by card", 1, first=0) == []


def test_what_is_known_of_a_question_is_told_by_weight(tmp_path: Path) -> None:
    index = built(tmp_path, ["a b", "c"])
    once, never = math.log(1 + 1.5 / 1.5), math.log(1 + 2.5 / 0.5)
    assert index.vocabulary_coverage("a b") == index.vocabulary_coverage("C") == 1.0
    assert index.vocabulary_coverage("z") == index.vocabulary_coverage("") == 0.0
    # The word a is known; z and the pair of both, which counts half, are not.
    assert index.vocabulary_coverage("a z") == pytest.approx(once / (once + 1.5 * never))


def test_only_arrays_and_a_small_file_are_written(tmp_path: Path) -> None:
    built(tmp_path, QUESTIONS)
    names = ("grams", "norms", "numbers", "starts", "weights")
    assert {file.name for file in tmp_path.iterdir()} == {
        "index.json",
        *(f"index-{name}.npy" for name in names),
    }
    told = json.loads((tmp_path / "index.json").read_text())
    assert told["count"] == len(QUESTIONS)
    assert {"k1", "b", "method", "buckets", "unseen", "format"} <= told.keys()


def test_the_same_questions_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        built(tmp_path / name, QUESTIONS)
    for file in (tmp_path / "one").iterdir():
        assert file.read_bytes() == (tmp_path / "other" / file.name).read_bytes()


def test_arrays_are_read_from_the_disk_when_they_are_needed(index: QuestionIndex) -> None:
    found = index._postings
    arrays = [found.grams, found.weights, found.starts, found.numbers, found.norms]
    assert all(isinstance(values.base, np.memmap) for values in arrays)


@pytest.mark.parametrize("questions", [[], ["", " "]])
def test_nothing_is_found_where_there_is_nothing(tmp_path: Path, questions: list[str]) -> None:
    index = built(tmp_path, questions)
    assert len(index) == len(questions)
    assert index.search("hello", 3) == []


def test_questions_are_taken_from_any_iterable_once(tmp_path: Path) -> None:
    QuestionIndex.build(tmp_path, (text for text in QUESTIONS))
    assert len(QuestionIndex(tmp_path)) == len(QUESTIONS)


def test_a_folder_without_an_index_has_none(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        QuestionIndex(tmp_path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 99}', "\xff"])
def test_an_index_of_another_format_is_refused(tmp_path: Path, text: str) -> None:
    built(tmp_path, QUESTIONS)
    (tmp_path / "index.json").write_bytes(text.encode("latin-1"))
    with pytest.raises(ValueError):  # noqa: PT011  (the caller says what is wrong, to users)
        QuestionIndex(tmp_path)


def test_an_array_that_was_cut_is_refused(tmp_path: Path) -> None:
    built(tmp_path, QUESTIONS)
    file = tmp_path / "index-numbers.npy"
    file.write_bytes(file.read_bytes()[:-8])
    with pytest.raises(ValueError):  # noqa: PT011
        QuestionIndex(tmp_path)


def test_searching_loads_no_large_library(tmp_path: Path) -> None:
    built(tmp_path, QUESTIONS)
    code = (
        "import sys; from pathlib import Path; from chatseq_qa.question_index import QuestionIndex;"
        f"print(QuestionIndex(Path({str(tmp_path)!r})).search('my balance', 1)[0].number,"
        "*({'bm25s', 'scipy', 'numba', 'jax', 'torch', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["1"]
