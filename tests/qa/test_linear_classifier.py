"""The linear classifier: a question as a vector, its margins by hand, and how it is learnt."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from chatseq_qa import linear_classifier_fit
from chatseq_qa.classifier_features import views_of
from chatseq_qa.linear_classifier import (
    FILES,
    Known,
    LinearClassifier,
    copy_classifier,
    save_classifier,
    thirds,
    vector_of,
)
from chatseq_qa.linear_classifier_fit import fit_classifier, known_grams

QUESTIONS = [
    "when do you open",
    "are you open today",
    "what are your opening hours",
    "how can i pay",
    "do you take cards",
    "is cash fine",
    "你们几点开门",
    "几点关门",
]
ANSWERS = [0, 0, 0, 1, 1, 1, 2, 2]


def floats(*values: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(values, np.float32)


def margins(count: int, answers: list[int], *asked: str, seed: int = 0) -> list[list[float]]:
    """Learn the questions, and return the margins of others."""
    known = known_grams(QUESTIONS, count)
    weights, bias = fit_classifier(known, QUESTIONS[: len(answers)], answers, count, seed)
    found = []
    for question in asked:
        places, values = vector_of(question, known)
        found.append((values @ weights[places] + bias).tolist())
    return found


def test_n_grams_of_a_third_weigh_by_their_rarity() -> None:
    words = views_of("red car").words
    known = Known(np.sort(words), floats(3.0, 4.0))
    places, values = vector_of("red car", known)
    assert places.tolist() == [0, 1]
    # 3, 4 and their length 5 are 0.6 and 0.8 of what a third weighs.
    assert (values / np.linalg.norm(values)).tolist() == pytest.approx([0.6, 0.8])


def test_every_third_weighs_the_same() -> None:
    known = known_grams(["red car", "red cart", "a car"], 2)
    places, values = vector_of("red car", known)
    lengths = [
        np.linalg.norm(values[np.isin(known.ids[places], ids)])
        for ids in thirds(views_of("red car"))
    ]
    assert len(places) == len(np.unique(places))
    assert lengths == pytest.approx([lengths[0]] * 3)
    assert lengths[0] > 0


@pytest.mark.parametrize("question", ["", "  ", "zzz zzz zzz", "😀 😀 😀"])
def test_unknown_n_grams_are_left_out(question: str) -> None:
    places, values = vector_of(question, known_grams(["red car"] * 2, 2))
    assert len(places) == len(values) == 0


def test_the_rarer_an_n_gram_the_more_it_weighs() -> None:
    known = known_grams(["red", "red car"], 2)
    rarity = dict(zip(known.ids.tolist(), known.rarity.tolist(), strict=True))
    red, car = (int(views_of(word).words[0]) for word in ("red", "car"))
    assert rarity[red] == pytest.approx(math.log(3 / 3) + 1)  # both of two questions hold it
    assert rarity[car] == pytest.approx(math.log(3 / 2) + 1)  # one of them
    assert (np.diff(known.ids) > 0).all()


def test_where_there_are_too_many_n_grams_the_rarest_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    questions = ["red car", "red cart", "red", "blue"]
    whole = known_grams(questions, 2)
    monkeypatch.setattr(linear_classifier_fit, "_MOST_WEIGHTS", len(whole.ids) * 2 - 1)
    fewer = known_grams(questions, 2)
    assert 0 < len(fewer.ids) < len(whole.ids)
    assert np.isin(views_of("red").words, fewer.ids).all()
    assert not np.isin(views_of("blue").words, fewer.ids).any()


def test_of_no_questions_no_n_gram_is_known() -> None:
    assert len(known_grams([], 2).ids) == 0


def test_margins_are_those_worked_out_by_hand(tmp_path: Path) -> None:
    known = Known(np.sort(views_of("red car").words), floats(3.0, 4.0))
    weights, bias = floats((1.0, -0.5), (0.5, 1.0)), floats(0.25, -1.0)
    save_classifier(tmp_path, known, weights, bias)
    linear = LinearClassifier(tmp_path)
    (_, values), whole = vector_of("red car", known), linear.scores("red car")
    wanted = [values[0] + 0.5 * values[1] + 0.25, -0.5 * values[0] + values[1] - 1]
    # A weight in 8 bits is off by half of 1/127 of the largest at most.
    assert whole.tolist() == pytest.approx(wanted, abs=float(values.sum()) / 254)
    assert linear.scores("zzz").tolist() == bias.tolist()


def test_half_a_surrogate_pair_and_an_endless_question_have_margins(tmp_path: Path) -> None:
    known = known_grams(QUESTIONS, 3)
    save_classifier(tmp_path, known, *fit_classifier(known, QUESTIONS, ANSWERS, 3, 0))
    for question in ("\ud800", "open " * 4000, "\x00"):
        assert np.isfinite(LinearClassifier(tmp_path).scores(question)).all()


@pytest.mark.parametrize("name", ["grams", "rarity", "weights", "scales", "bias"])
def test_a_missing_or_damaged_file_is_told(tmp_path: Path, name: str) -> None:
    known = known_grams(QUESTIONS, 3)
    save_classifier(tmp_path, known, *fit_classifier(known, QUESTIONS, ANSWERS, 3, 0))
    file = tmp_path / FILES.format(name)
    np.save(file, np.load(file)[:1])
    with pytest.raises(ValueError, match="linear classifier do not belong together"):
        LinearClassifier(tmp_path)
    file.write_bytes(b"")
    with pytest.raises(ValueError, match=rf"{file.name} is empty"):
        LinearClassifier(tmp_path)
    file.unlink()
    with pytest.raises(OSError, match=file.name):
        LinearClassifier(tmp_path)


def test_what_was_learnt_has_the_highest_margin() -> None:
    for given, wanted in zip(margins(3, ANSWERS, *QUESTIONS), ANSWERS, strict=True):
        assert int(np.argmax(given)) == wanted
        assert given[wanted] > 0


def test_another_wording_has_the_margin_of_its_answer() -> None:
    asked = ("what are the opening times", "can i pay by card", "你们几点关门")
    assert [int(np.argmax(each)) for each in margins(3, ANSWERS, *asked)] == [0, 1, 2]


@pytest.mark.parametrize("answers", [[0, 0, 0, 2, 2, 2], [2, 2, 2, 0, 0, 0]])
def test_two_answers_are_told_apart_and_a_third_without_examples_never_fits(
    answers: list[int],
) -> None:
    for given, wanted in zip(margins(3, answers, *QUESTIONS[:6]), answers, strict=True):
        assert given[1] == -1
        assert int(np.argmax(given)) == wanted


def test_a_single_answer_always_fits() -> None:
    assert margins(2, [1] * 6, "are you open", "zzz") == [[-1, 1], [-1, 1]]


def test_without_examples_nothing_fits() -> None:
    assert margins(2, [], "are you open") == [[-1, -1]]


@pytest.mark.parametrize("seed", [1, 2**32, 2**63 - 1])
def test_every_seed_is_taken(seed: int) -> None:
    one, other = (margins(3, ANSWERS, *QUESTIONS, seed=each) for each in (0, seed))
    assert np.array(one) == pytest.approx(np.array(other), abs=0.01)


def test_the_same_seed_learns_the_same() -> None:
    assert margins(3, ANSWERS, *QUESTIONS) == margins(3, ANSWERS, *QUESTIONS)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_the_number_of_threads_changes_next_to_nothing(
    threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = margins(3, ANSWERS, *QUESTIONS)
    monkeypatch.setattr(linear_classifier_fit, "_MOST_ALONE", 0)
    monkeypatch.setattr(linear_classifier_fit, "_threads", lambda: threads)
    assert np.array(margins(3, ANSWERS, *QUESTIONS)) == pytest.approx(np.array(wanted), abs=0.01)


def test_where_the_work_would_be_long_pieces_of_the_text_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = views_of("red car")
    assert np.isin(seen.spans, known_grams(["red car"] * 2, 2).ids).all()
    monkeypatch.setattr(linear_classifier_fit, "_MOST_FOR_SPANS", 3)
    known = known_grams(["red car"] * 2, 2)
    assert not np.isin(seen.spans, known.ids).any()
    assert np.isin(np.concatenate([seen.words, seen.near, seen.pieces]), known.ids).all()


def test_what_only_one_question_holds_counts_if_it_is_short() -> None:
    known, seen = known_grams(["red car", "blue"], 2), views_of("red car")
    assert np.isin(np.concatenate([seen.words, seen.pieces]), known.ids).all()
    assert not np.isin(np.concatenate([seen.near[1:-1], seen.spans]), known.ids).all()


def test_a_copy_scores_as_the_classifier_does(tmp_path: Path) -> None:
    known = known_grams(QUESTIONS, 3)
    save_classifier(tmp_path, known, *fit_classifier(known, QUESTIONS, ANSWERS, 3, 0))
    other = tmp_path / "other"
    other.mkdir()
    copy_classifier(tmp_path, other)
    scores = [LinearClassifier(folder).scores("are you open") for folder in (tmp_path, other)]
    assert scores[0].tolist() == scores[1].tolist()
