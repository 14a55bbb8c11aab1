"""What the network, the classifier and the nearest questions say of each answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from qa_fakes import OPEN, PAY, SEND, SHOP, TALKING, bot_of, learn

from chatseq.core.exchange import Exchange
from chatseq.decoding.score_answers import trace_answer
from chatseq.engines.contracts import Array, Encoded, Engine
from chatseq.testing import RandomEngine
from chatseq.text.question_encoder import pad_questions
from chatseq_qa import joined_learning, witnesses
from chatseq_qa.linear_classifier import LinearClassifier
from chatseq_qa.question_index import QuestionIndex
from chatseq_qa.scorers import DECLINE, PAIR_ANSWERS, AnswerScorers
from chatseq_qa.scorers import AnswerScores as Heard

ASKED = ["when do you open", "pay cards", "will it rain", "parcel", "zzz", "你好"]
TOPICS = [f"{one}{two}" for one in "bdfgklmn" for two in ("ab", "eb", "ib", "ob", "ub")]
# Forty answers; the earlier the more frequent.
MANY = [
    Exchange(f"{how} {topic}", f"all of {topic}")
    for at, topic in enumerate(TOPICS)
    for how in ("tell me of", "what is", "explain")[: 3 if at < 20 else 2]
]


class Batches:
    """An engine that remembers how many questions it was given at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.array, self.step = engine, engine.array, engine.step
        self.sizes: list[int] = []

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        self.sizes.append(len(ids))
        return self._engine.encode(ids, mask, features)


def opened(
    folder: Path,
    exchanges: Sequence[Exchange] = SHOP,
    *,
    linear: bool = True,
    declines: bool = True,
    engine: Engine | None = None,
) -> AnswerScorers:
    bot = bot_of(folder, exchanges, engine)
    return AnswerScorers(
        bot, folder, LinearClassifier(folder) if linear else None, declines=declines
    )


def score(witnesses: AnswerScorers, *texts: str) -> list[Heard]:
    read = witnesses.bot.reader.read
    return witnesses.score(texts, [read(text) for text in texts])


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    learn(folder)
    return folder


@pytest.fixture(scope="module")
def taught_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        few(patch)
        learn(folder, MANY)
    return folder


@pytest.fixture
def many(taught_many: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    few(monkeypatch)
    return taught_many


def few(patch: pytest.MonkeyPatch) -> None:
    """Let forty answers be more than all can be weighed of, and half of them rare."""
    patch.setattr(witnesses, "ALL_WEIGHED", 10)
    patch.setattr(witnesses, "FROM_LINEAR", 3)
    patch.setattr(witnesses, "FROM_INDEX", 2)
    patch.setattr(witnesses, "MOST_LINEAR", 20)
    patch.setattr(joined_learning, "MOST_LINEAR", 20)


def test_few_answers_all_come_into_question(shop: Path) -> None:
    known = opened(shop)
    assert sorted(known.texts) == sorted({OPEN, PAY, SEND})
    for told in score(known, *ASKED):
        assert told.answers.tolist() == [0, 1, 2, DECLINE]
        assert [len(each) for each in (told.network, told.linear, told.likeness)] == [4, 4, 4]


def test_declining_is_no_answer_of_a_corpus_without_questions_to_decline(tmp_path: Path) -> None:
    learn(tmp_path, TALKING)
    (told,) = score(opened(tmp_path, TALKING, declines=False), "will it rain")
    assert told.answers.tolist() == [0, 1, 2]


def test_the_network_is_asked_for_each_answer_token_by_token(shop: Path) -> None:
    known = opened(shop)
    bot = known.bot
    (told,) = score(known, "pay cards")
    read = pad_questions([bot.reader.read("pay cards")], bot.reader.features)
    replies = [bot.tokenizer.encode_answer(text) for text in known.texts] + [[]]
    traced = [trace_answer(bot.engine, read, reply).score for reply in replies]
    assert told.network.tolist() == pytest.approx(traced, abs=1e-3)


def test_the_likeness_of_an_answer_is_that_of_its_nearest_question(shop: Path) -> None:
    known = opened(shop)
    (told,) = score(known, "when do you take my parcel")
    index = QuestionIndex(shop)
    found = index.search("when do you take my parcel", len(SHOP))
    for answer, likeness in zip((*known.texts, ""), told.likeness, strict=True):
        of_it = [match.similarity for match in found if SHOP[match.number].answer == answer]
        assert likeness == max(of_it, default=0.0)
    assert told.matches == tuple(found)
    assert told.vocabulary_coverage == index.vocabulary_coverage("when do you take my parcel")


def test_margins_stand_beside_their_answers(shop: Path) -> None:
    known, linear = opened(shop), LinearClassifier(shop)
    for told in score(known, *ASKED):
        assert len(told.linear) == len(known.texts) + 1
    (told,) = score(known, "will it rain")
    assert told.linear.tolist() == pytest.approx(linear.scores("will it rain").tolist())
    assert int(told.answers[np.argmax(told.linear)]) == DECLINE


def test_without_a_classifier_all_margins_are_alike(shop: Path) -> None:
    for told in score(opened(shop, linear=False), *ASKED):
        assert told.linear.tolist() == [0.0] * 4


def test_many_are_heard_as_one_by_one(shop: Path) -> None:
    known = opened(shop)
    for told, text in zip(score(known, *ASKED), ASKED, strict=True):
        (alone,) = score(known, text)
        assert told.network.tolist() == pytest.approx(alone.network.tolist(), abs=1e-6)
        assert told.likeness.tolist() == alone.likeness.tolist()
        assert (told.matches, told.vocabulary_coverage) == (
            alone.matches,
            alone.vocabulary_coverage,
        )
    assert score(known) == []


def test_no_more_is_weighed_at_once_than_there_is_room_for(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Batches(RandomEngine(vocabulary_size=30))
    monkeypatch.setattr(witnesses, "_ROWS", 11)  # four answers, twice
    score(opened(shop, engine=engine), *ASKED)
    assert engine.sizes == [2, 2, 2]


def test_of_many_answers_those_come_into_question_that_something_points_at(many: Path) -> None:
    known = opened(many, MANY)
    for at, topic in enumerate(TOPICS):
        (told,) = score(known, f"do explain {topic}")
        assert f"all of {topic}" in [known.texts[n] for n in told.answers if n != DECLINE], at
        assert len(told.answers) <= 3 + 2 + 1
        assert len(set(told.answers.tolist())) == len(told.answers)


def test_an_answer_that_the_classifier_does_not_know_fits_as_little_as_any(many: Path) -> None:
    known = opened(many, MANY)
    rare = TOPICS[-1]
    (told,) = score(known, f"what is {rare}")
    unknown = told.answers >= 20
    assert f"all of {rare}" in [known.texts[n] for n in told.answers[unknown]]
    assert set(told.linear[unknown]) == {-1.0}
    assert told.likeness[unknown].max() == 1.0


def test_questions_with_unlike_answers_are_each_weighed_alone(many: Path) -> None:
    engine = Batches(RandomEngine(vocabulary_size=30))
    known = opened(many, MANY, engine=engine)
    asked = [f"what is {topic}" for topic in TOPICS[:4]]
    together = score(known, *asked)
    assert engine.sizes == [1] * 4
    for told, text in zip(together, asked, strict=True):
        (alone,) = score(known, text)
        assert told.answers.tolist() == alone.answers.tolist()
        assert told.network.tolist() == alone.network.tolist()


def test_where_nothing_points_at_an_answer_the_most_frequent_come_into_question(
    many: Path,
) -> None:
    (told,) = score(opened(many, MANY, linear=False, declines=False), "1 2 3")
    assert told.matches == ()
    assert told.answers.tolist() == [0, 1]


def test_answers_that_begin_alike_are_told_apart_by_other_witnesses(tmp_path: Path) -> None:
    long = "so be it " * 20
    rows = [Exchange("red car", long + "red"), Exchange("blue boat", long + "blue")]
    learn(tmp_path, rows)
    (told,) = score(opened(tmp_path, rows, declines=False), "red car")
    assert told.network[0] == told.network[1]
    assert told.likeness[0] > told.likeness[1]
    assert told.linear[0] > told.linear[1]


def test_the_first_question_of_an_answer_is_known(shop: Path) -> None:
    known = opened(shop)
    for number, text in enumerate(known.texts):
        first = known.first_pair(number)
        assert first == next(at for at, one in enumerate(SHOP) if one.answer == text)
    assert known.first_pair(99) is None


@pytest.mark.parametrize(
    "question", ["", "\x00", "\ud800", "word " * 4000, "😀👩‍👩‍👧", "你们几点开门"]
)
def test_something_is_heard_of_any_question(shop: Path, question: str) -> None:
    (told,) = score(opened(shop), question)
    assert np.isfinite(told.network).all()
    assert np.isfinite(told.linear).all()
    assert 0 <= told.vocabulary_coverage <= 1


def test_a_list_of_answers_that_belongs_to_another_index_is_refused(tmp_path: Path) -> None:
    learn(tmp_path)
    numbers = np.load(tmp_path / PAIR_ANSWERS)
    np.save(tmp_path / PAIR_ANSWERS, numbers[1:])
    with pytest.raises(ValueError, match=r"qa-answers\.npy does not belong to the index"):
        opened(tmp_path)
