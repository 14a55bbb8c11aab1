"""Which answers are candidates, and that all questions are scored in one pass."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from qa_fakes import MANY, OPEN, PAY, SEND, SHOP, TALKING, TOPICS, bot_of, fit, queries_of

from chatseq.bots.bot import Bot
from chatseq.bots.contracts import DECLINE, NO_CANDIDATE
from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry
from chatseq.engines.contracts import Array, Encoded, Engine
from chatseq.testing import RandomEngine
from chatseq_qa import linear_scorer, nearest_scorer, scorer_group
from chatseq_qa.responder import QaResponder
from chatseq_qa.scorer_group import ScorerGroup, build_scorers, open_scorers

ASKED = ["when do you open", "pay cards", "will it rain", "parcel", "zzz", "你好"]


class Batches:
    """An engine that remembers how many questions it was given at once, and its steps."""

    def __init__(self, engine: Engine) -> None:
        self._engine, self.array = engine, engine.array
        self.sizes: list[int] = []
        self.steps = 0

    def encode(self, ids: Array, mask: Array, features: Array | None = None) -> Encoded:
        self.sizes.append(len(ids))
        return self._engine.encode(ids, mask, features)

    def step(self, *given: Array) -> object:
        self.steps += 1
        return self._engine.step(*given)  # type: ignore[arg-type]


def group(bot: Bot, *, declines: bool = True) -> ScorerGroup:
    scorers = build_scorers(bot.registry, scorer_group.USUAL_SCORERS)
    return open_scorers(bot, scorers, declines=declines)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    fit(folder)
    return folder


@pytest.fixture(scope="module")
def taught_many(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("many")
    with pytest.MonkeyPatch.context() as patch:
        few(patch)
        fit(folder, MANY)
    return folder


@pytest.fixture
def many(taught_many: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    few(monkeypatch)
    return taught_many


def few(patch: pytest.MonkeyPatch) -> None:
    """Let forty answers be more than all can be scored of, and half of them rare."""
    patch.setattr(scorer_group, "ALL_SCORED", 10)
    patch.setattr(scorer_group, "MOST_PROPOSED", 3)
    patch.setattr(nearest_scorer, "_MOST_PROPOSED", 2)
    patch.setattr(linear_scorer, "MOST_ANSWERS", 20)


def test_few_answers_are_all_candidates(shop: Path) -> None:
    bot = bot_of(shop)
    assert bot.answers is not None
    assert sorted(bot.answers.texts) == sorted({OPEN, PAY, SEND})
    candidates = group(bot).score(queries_of(bot, *ASKED)).candidates
    assert candidates.tolist() == [[0, 1, 2, DECLINE]] * len(ASKED)


def test_declining_is_no_answer_of_a_corpus_without_questions_to_decline(tmp_path: Path) -> None:
    fit(tmp_path, TALKING)
    bot = bot_of(tmp_path, TALKING)
    scored = group(bot, declines=False).score(queries_of(bot, "will it rain"))
    assert scored.candidates.tolist() == [[0, 1, 2]]


def test_of_many_answers_those_are_candidates_that_a_scorer_proposes(many: Path) -> None:
    bot = bot_of(many, MANY)
    assert bot.answers is not None
    asked = [f"do explain {topic}" for topic in TOPICS]
    candidates = group(bot).score(queries_of(bot, *asked)).candidates
    assert candidates.shape[1] <= 3 + 2 + 1
    for row, topic in zip(candidates.tolist(), TOPICS, strict=True):
        named = [bot.answers.texts[number] for number in row if number >= 0]
        assert f"all of {topic}" in named
        assert len(set(named)) == len(named)
        assert row.count(DECLINE) == 1
        assert set(row) - set(range(40)) <= {DECLINE, NO_CANDIDATE}


def test_where_nobody_proposes_any_the_most_frequent_are_candidates(many: Path) -> None:
    bot = bot_of(many, MANY)
    alone = build_scorers(bot.registry, ["network", "nearest"])
    scored = open_scorers(bot, alone, declines=False).score(queries_of(bot, "1 2 3"))
    assert scored.candidates.tolist() == [list(range(16))]


@pytest.mark.parametrize("folder", ["shop", "many"])
def test_any_number_of_questions_takes_one_encode(
    folder: str, request: pytest.FixtureRequest
) -> None:
    rows = SHOP if folder == "shop" else MANY
    engine = Batches(RandomEngine(vocabulary_size=30))
    bot = bot_of(request.getfixturevalue(folder), rows, engine)  # type: ignore[arg-type]
    together = group(bot)
    together.score(queries_of(bot, "one question"))
    alone = engine.steps
    together.score(queries_of(bot, *ASKED))
    assert engine.sizes == [1, len(ASKED)]
    assert engine.steps <= 2 * alone + 2  # not six times as many


@pytest.mark.parametrize("folder", ["shop", "many"])
def test_a_batch_is_scored_as_one_by_one(folder: str, request: pytest.FixtureRequest) -> None:
    rows = SHOP if folder == "shop" else MANY
    bot = bot_of(request.getfixturevalue(folder), rows)
    asked = ASKED if folder == "shop" else [f"what is {topic}" for topic in TOPICS]
    scorers = group(bot)
    together = scorers.score(queries_of(bot, *asked))
    for row, text in enumerate(asked):
        alone = scorers.score(queries_of(bot, text))
        real = together.candidates[row] != NO_CANDIDATE
        assert together.candidates[row][real].tolist() == alone.candidates[0].tolist()
        for name, scores in alone.scores.items():
            assert together.scores[name][row][real] == pytest.approx(scores[0], abs=1e-5)
        for name, values in alone.features.items():
            assert together.features[name][row][real] == pytest.approx(values[0], abs=1e-5)


def test_a_reply_costs_one_encode(shop: Path) -> None:
    engine = Batches(RandomEngine(vocabulary_size=30))
    responder = QaResponder(bot_of(shop, engine=engine))  # type: ignore[arg-type]
    responder.reply("when do you open")
    assert engine.sizes == [1]
    list(responder.reply_all(ASKED))
    assert engine.sizes == [1, len(ASKED)]


def test_names_of_features_tell_the_scorer(shop: Path) -> None:
    bot = bot_of(shop)
    scorers = group(bot)
    scored = scorers.score(queries_of(bot, "pay"))
    own = [name for name in scorers.feature_names if not name.startswith("ensemble: ")]
    assert own == list(scored.features)
    assert np.unique(own).tolist() == sorted(own)


@pytest.mark.parametrize("wanted", [[], ["linear", "linear"]])
def test_scorers_are_named_once_each(registry: Registry, wanted: list[str]) -> None:
    with pytest.raises(ValueError, match="must be at least one, each once"):
        build_scorers(registry, wanted)


def test_a_scorer_that_does_not_exist_is_told(registry: Registry) -> None:
    with pytest.raises(PartError, match="No scorer named 'lineal'.*Did you mean 'linear'"):
        build_scorers(registry, ["lineal"])
    with pytest.raises(PartError, match="has no option 'c' in .responder. scorers"):
        build_scorers(registry, [{"name": "linear", "c": 1}])
