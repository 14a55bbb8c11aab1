"""What the network, the classifier and the nearest questions say of each candidate answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from qa_fakes import MANY, OPEN, PAY, SEND, SHOP, TALKING, TOPICS, bot_of, fit, queries_of

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import DECLINE, NO_CANDIDATE, AnswerScores, FittedScorer, Ints, Scorer
from chatseq.core.exchange import Exchange
from chatseq.decoding.score_answers import trace_answer
from chatseq.text.question_encoder import pad_questions
from chatseq_qa import linear_scorer
from chatseq_qa.answered_corpus import PAIR_ANSWERS, AnsweredCorpus
from chatseq_qa.linear_classifier import LinearClassifier
from chatseq_qa.linear_scorer import LinearScorer
from chatseq_qa.nearest_scorer import NearestScorer
from chatseq_qa.network_scorer import NetworkScorer
from chatseq_qa.question_index import QuestionIndex

ASKED = ["when do you open", "pay cards", "will it rain", "parcel", "zzz", "你好"]
SCORERS: list[Scorer] = [NetworkScorer(), LinearScorer(), NearestScorer()]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    fit(folder)
    return folder


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(linear_scorer, "MOST_ANSWERS", 20)
        fit(folder, MANY)
    return folder


def opened(scorer: Scorer, bot: Bot) -> FittedScorer:
    found = scorer.open(bot)
    assert found is not None
    return found


def every(bot: Bot, count: int) -> Ints:
    """Return all answers and declining as candidates of some questions."""
    assert bot.answers is not None
    row = np.array([*range(len(bot.answers.texts)), DECLINE], np.int64)
    return np.repeat(row[None], count, axis=0)


def told(scorer: Scorer, bot: Bot, *texts: str, candidates: Ints | None = None) -> AnswerScores:
    wanted = every(bot, len(texts)) if candidates is None else candidates
    return opened(scorer, bot).score(queries_of(bot, *texts), wanted)


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda one: type(one).__name__)
def test_scores_and_features_have_a_number_for_each_candidate(shop: Path, scorer: Scorer) -> None:
    bot = bot_of(shop)
    found = told(scorer, bot, *ASKED)
    assert found.scores.shape == (len(ASKED), 4)
    assert tuple(found.features) == opened(scorer, bot).features
    assert {values.shape for values in found.features.values()} == {(len(ASKED), 4)}


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda one: type(one).__name__)
def test_many_are_scored_as_one_by_one(shop: Path, scorer: Scorer) -> None:
    bot = bot_of(shop)
    together = told(scorer, bot, *ASKED)
    for at, text in enumerate(ASKED):
        alone = told(scorer, bot, text)
        assert together.scores[at] == pytest.approx(alone.scores[0], abs=1e-5)
        for name, values in alone.features.items():
            assert together.features[name][at] == pytest.approx(values[0], abs=1e-5)


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda one: type(one).__name__)
def test_each_question_may_have_candidates_of_its_own(shop: Path, scorer: Scorer) -> None:
    bot = bot_of(shop)
    whole = told(scorer, bot, *ASKED[:3])
    own = np.array([[2, 0, NO_CANDIDATE], [DECLINE, 1, 0], [1, NO_CANDIDATE, NO_CANDIDATE]])
    some = told(scorer, bot, *ASKED[:3], candidates=own)
    for row, candidates in enumerate(own):
        for at, candidate in enumerate(candidates.tolist()):
            if candidate != NO_CANDIDATE:
                assert some.scores[row, at] == pytest.approx(whole.scores[row, candidate], abs=1e-5)


@pytest.mark.parametrize("scorer", SCORERS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    "question", ["", "\x00", "\ud800", "word " * 4000, "😀👩‍👩‍👧", "你们几点开门"]
)
def test_something_is_said_of_any_question(shop: Path, scorer: Scorer, question: str) -> None:
    found = told(scorer, bot_of(shop), question)
    for values in (found.scores, *found.features.values()):
        assert np.isfinite(values).all()


def test_the_network_is_asked_for_each_answer_token_by_token(shop: Path) -> None:
    bot = bot_of(shop)
    found = told(NetworkScorer(), bot, "pay cards").scores[0]
    read = pad_questions([bot.reader.read("pay cards")], bot.reader.features)
    assert bot.answers is not None
    replies = [bot.tokenizer.encode_answer(text) for text in bot.answers.texts] + [[]]
    traced = [trace_answer(bot.engine, read, reply).score for reply in replies]
    assert found.tolist() == pytest.approx(traced, abs=1e-3)


def test_answers_that_begin_alike_share_a_score_of_the_network(tmp_path: Path) -> None:
    long = "so be it " * 20
    rows = [Exchange("red car", long + "red"), Exchange("blue boat", long + "blue")]
    fit(tmp_path, rows)
    bot = bot_of(tmp_path, rows)
    network = told(NetworkScorer(), bot, "red car").scores[0]
    assert network[0] == network[1]
    for other in (LinearScorer(), NearestScorer()):
        scores = told(other, bot, "red car").scores[0]
        assert scores[0] > scores[1]


def test_the_likeness_of_an_answer_is_that_of_its_nearest_question(shop: Path) -> None:
    bot, asked = bot_of(shop), "when do you take my parcel"
    found = told(NearestScorer(), bot, asked)
    index = QuestionIndex(shop)
    matches = index.search(asked, len(SHOP))
    assert bot.answers is not None
    for answer, likeness in zip((*bot.answers.texts, ""), found.scores[0], strict=True):
        of_it = [match.similarity for match in matches if SHOP[match.number].answer == answer]
        assert likeness == max(of_it, default=0.0)
    assert set(found.features["best similarity"][0]) == {matches[0].similarity}
    coverage = index.vocabulary_coverage(asked)
    assert set(found.features["vocabulary coverage"][0]) == {coverage}


def test_margins_stand_beside_their_answers(shop: Path) -> None:
    found = told(LinearScorer(), bot_of(shop), "will it rain")
    wanted = LinearClassifier(shop).scores("will it rain").tolist()
    assert found.scores[0].tolist() == pytest.approx(wanted)
    assert int(every(bot_of(shop), 1)[0, np.argmax(found.scores[0])]) == DECLINE


def test_the_lead_of_a_margin_is_over_the_best_other_answer(shop: Path) -> None:
    found = told(LinearScorer(), bot_of(shop), "pay cards")
    margins = found.scores[0, :3]
    for at, lead in enumerate(found.features["lead of the margin"][0, :3]):
        assert lead == pytest.approx(margins[at] - np.delete(margins, at).max())


def test_an_answer_that_the_classifier_does_not_know_fits_as_little_as_any(many: Path) -> None:
    bot, rare = bot_of(many, MANY), TOPICS[-1]
    asked = f"what is {rare}"
    margins = told(LinearScorer(), bot, asked).scores[0]
    assert set(margins[20:40]) == {-1.0}
    assert told(NearestScorer(), bot, asked).scores[0, 20:40].max() == 1.0


def test_each_scorer_proposes_what_points_at_an_answer(many: Path) -> None:
    bot = bot_of(many, MANY)
    assert bot.answers is not None
    for topic in TOPICS[:20]:
        query = queries_of(bot, f"do explain {topic}")
        wanted = bot.answers.texts.index(f"all of {topic}")
        assert opened(LinearScorer(), bot).propose(query, 3)[0][0] == wanted
        assert wanted in opened(NearestScorer(), bot).propose(query, 3)[0]
        assert opened(NetworkScorer(), bot).propose(query, 3) == [()]


@pytest.mark.parametrize("scorer", [LinearScorer(), NearestScorer()])
def test_no_more_is_proposed_than_was_asked_for(many: Path, scorer: Scorer) -> None:
    bot = bot_of(many, MANY)
    for most in (1, 2, 7):
        (proposed,) = opened(scorer, bot).propose(queries_of(bot, "explain what of it"), most)
        assert len(proposed) <= most
        assert len(set(proposed)) == len(proposed)
        assert min(proposed, default=0) >= 0


def test_where_no_classifier_was_learnt_there_is_no_scorer(tmp_path: Path) -> None:
    fit(tmp_path, TALKING[:1], closed=False)
    bot = bot_of(tmp_path, TALKING[:1])
    assert LinearScorer().open(bot) is None
    assert NearestScorer().open(bot) is not None


def test_corpus_and_index_are_opened_once_a_bot(shop: Path) -> None:
    bot = bot_of(shop)
    assert AnsweredCorpus.of(bot) is AnsweredCorpus.of(bot)
    changed = bot.with_overrides(["decoding.max_length=9"])
    assert AnsweredCorpus.of(changed) is AnsweredCorpus.of(bot)
    assert AnsweredCorpus.of(bot_of(shop)) is not AnsweredCorpus.of(bot)


def test_the_question_for_an_answer_is_the_nearest_or_else_the_first(shop: Path) -> None:
    bot = bot_of(shop)
    corpus = AnsweredCorpus.of(bot)
    assert corpus is not None
    assert bot.answers is not None
    number = bot.answers.texts.index
    assert corpus.question_for("pay by a card", number(PAY)) == "can i pay by card"
    assert corpus.question_for("你好", number(OPEN)) == "when do you open"
    assert corpus.question_for("你好", number(SEND)) == "how long does delivery take"
    assert corpus.question_for("你好", 99) == ""


@pytest.mark.parametrize("rows", [slice(1, None), slice(0, 0)])
def test_a_list_of_answers_that_belongs_to_another_index_is_refused(
    tmp_path: Path, rows: slice
) -> None:
    fit(tmp_path)
    numbers: Sequence[int] = np.load(tmp_path / PAIR_ANSWERS)
    np.save(tmp_path / PAIR_ANSWERS, numbers[rows])
    with pytest.raises(ValueError, match=r"answer-numbers\.npy does not belong to the index"):
        AnsweredCorpus.of(bot_of(tmp_path))
