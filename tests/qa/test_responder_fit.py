"""What the responder `qa` learns, in two rounds, and what it leaves in the folder."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from qa_fakes import OPEN, PAY, SHOP, TALKING, bot_of, fit

from chatseq.bots.contracts import DECLINE
from chatseq.core.exchange import Exchange, Reply, ReplySource
from chatseq_qa import linear_scorer, responder_fit
from chatseq_qa.answered_corpus import PAIR_ANSWERS
from chatseq_qa.calibration import FILE, read_ensemble
from chatseq_qa.linear_classifier import FILES
from chatseq_qa.responder import QaResponder

HELD_OUT = [SHOP[3], SHOP[6], SHOP[11]]
TRAIN = [one for one in SHOP if one not in HELD_OUT]


def twice(place: Path, known: Sequence[Exchange] = SHOP) -> tuple[Path, Path]:
    """Learn with some questions held out, then all of them."""
    part, whole = place / "part", place / "whole"
    part.mkdir()
    whole.mkdir()
    fit(part, TRAIN, HELD_OUT, known=known)
    assert fit(whole, [*TRAIN, *HELD_OUT], fitted=part, known=known) == {}
    return part, whole


def ask(folder: Path, question: str, known: Sequence[Exchange] = SHOP) -> Reply:
    return QaResponder(bot_of(folder, known), decline_below=0.0).reply(question)


def test_what_was_held_out_is_not_known_at_first_and_then_it_is(tmp_path: Path) -> None:
    part, whole = twice(tmp_path)
    for held in HELD_OUT:
        assert all(near.similarity < 1 for near in ask(part, held.question).neighbours)
        nearest = ask(whole, held.question).neighbours[0]
        assert (nearest.question, nearest.similarity) == (held.question, 1.0)
    assert len(np.load(part / PAIR_ANSWERS)) == len(TRAIN)
    assert len(np.load(whole / PAIR_ANSWERS)) == len(SHOP)


def test_what_was_fitted_on_held_out_questions_stays(tmp_path: Path) -> None:
    part, whole = twice(tmp_path)
    assert (part / FILE).read_text() == (whole / FILE).read_text()


def test_for_a_few_rows_more_the_classifier_is_not_learnt_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_scorer, "_LITTLE_MORE", 2.0)
    part, whole = twice(tmp_path)
    for name in ("grams", "weights", "bias"):
        file = FILES.format(name)
        assert (part / file).read_bytes() == (whole / file).read_bytes()


def test_figures_are_numbers_about_the_fit(tmp_path: Path) -> None:
    figures = fit(tmp_path, TRAIN, HELD_OUT)
    assert set(figures) >= {
        "calibration_questions",
        "decline_below",
        "calibration_wrongly_declined",
    }
    assert all(value is None or math.isfinite(value) for value in figures.values())
    fitted = read_ensemble((tmp_path / FILE).read_text())
    assert figures["decline_below"] == fitted.decline_below
    for share in ("calibration_wrongly_declined", "calibration_declined"):
        value = figures[share]
        assert value is not None
        assert 0 <= value <= 1


def test_the_same_seed_learns_the_same(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        folder = tmp_path / name
        folder.mkdir()
        fit(folder, TRAIN, HELD_OUT)
        found.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert found[0] == found[1]


def test_a_seed_of_64_bits_is_taken(tmp_path: Path) -> None:
    assert fit(tmp_path, TRAIN, HELD_OUT, seed=2**63 - 1)


@pytest.mark.parametrize(("exchanges", "declines"), [(SHOP, True), (TALKING, False)])
def test_declining_is_learnt_where_the_corpus_does_it(
    tmp_path: Path, exchanges: Sequence[Exchange], declines: bool
) -> None:
    fit(tmp_path, exchanges)
    assert read_ensemble((tmp_path / FILE).read_text()).declines is declines


def test_where_the_classifier_would_take_too_long_there_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_scorer, "_MOST_WORK", 1)
    for folder in twice(tmp_path):
        assert list(folder.glob("linear-*")) == []
        assert "linear" not in read_ensemble((folder / FILE).read_text()).weights
        assert ask(folder, "how can i pay").neighbours[0].answer == PAY


def test_both_rounds_agree_on_whether_there_is_a_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(linear_scorer, "_LITTLE_MORE", 1.0)
    monkeypatch.setattr(linear_scorer, "_MOST_WORK", 4 * len(TRAIN))  # and all are more
    _, whole = twice(tmp_path)
    assert "linear" in read_ensemble((whole / FILE).read_text()).weights
    assert ask(whole, "how can i pay").text == PAY


OTHER = [Exchange("is there cheese in the shop", "in aisle four")]


def test_a_held_out_question_whose_answer_nobody_knows_is_one_to_decline(tmp_path: Path) -> None:
    folder = tmp_path / "part"
    folder.mkdir()
    figures = fit(folder, TRAIN, [*HELD_OUT, *OTHER], known=TRAIN)
    assert figures["calibration_questions"] is not None
    whole = [*TRAIN, *OTHER]
    fit(tmp_path, whole, fitted=folder, known=TRAIN)
    assert np.load(tmp_path / PAIR_ANSWERS)[-1] == DECLINE
    reply = ask(tmp_path, OTHER[0].question, TRAIN)
    assert reply.text != OTHER[0].answer
    assert reply.neighbours[0].answer == OTHER[0].answer  # what it is can still be seen


def test_where_answers_hardly_recur_only_the_index_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder_fit, "_MOST_BY_HEART", 3)
    part, whole = tmp_path / "part", tmp_path / "whole"
    part.mkdir()
    whole.mkdir()
    assert fit(part, TRAIN, HELD_OUT, closed=False) == {}
    assert fit(whole, SHOP, fitted=part, closed=False) == {}
    for folder in (part, whole):
        names = {file.name for file in folder.iterdir()}
        assert "index.json" in names
        assert not names & {FILE, PAIR_ANSWERS, FILES.format("weights")}


def test_few_answers_are_known_by_heart_even_if_they_do_not_recur(tmp_path: Path) -> None:
    fit(tmp_path, SHOP, closed=False)
    assert ask(tmp_path, "when do you open").text == OPEN


def test_nonsense_is_declined_at_the_fitted_threshold(tmp_path: Path) -> None:
    fit(tmp_path)
    responder = QaResponder(bot_of(tmp_path))
    for question in ("xqzt vrr plok", "gggg", "song tomorrow parcel rain"):
        assert responder.reply(question).source is ReplySource.DECLINED


def test_without_any_example_the_usual_weights_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(responder_fit, "calibration_examples", lambda data: [])
    assert fit(tmp_path) == {}
    fitted = read_ensemble((tmp_path / FILE).read_text())
    assert fitted.weights == {"network": 1.0, "linear": 8.0, "nearest": 8.0}
    assert ask(tmp_path, "when do you open").text == OPEN
