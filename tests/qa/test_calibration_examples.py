"""The questions on which the joining is practised: held-out, changed and made ones."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chatseq.bots.contracts import FitData
from chatseq.core.exchange import Exchange
from chatseq.testing import babbling_bot
from chatseq.text.normalise import normalise_answer
from chatseq_qa import calibration_examples as module
from chatseq_qa.calibration_examples import CalibrationExample, calibration_examples

LEARNT = [
    Exchange(f"{how} {topic}", answer)
    for topic, answer in (("opening hours", "Nine to six."), ("delivery times", "Two days."))
    for how in ("tell me about", "what are the", "please explain", "i ask for")
] + [Exchange("will it rain tomorrow", ""), Exchange("who won the race", "")]
OTHERS = [Exchange("your hours please", "Nine to six."), Exchange("is it sunny", " ")]


def lesson(train: Sequence[Exchange] = LEARNT, held_out: Sequence[Exchange] = OTHERS) -> FitData:
    return FitData(babbling_bot(), train, held_out, closed=True, seed=0)


def made_of(found: Sequence[CalibrationExample]) -> list[CalibrationExample]:
    """Return the drills behind the last one with an answer."""
    last = max(at for at, drill in enumerate(found) if drill.answers)
    return list(found[last + 3 :])  # two changed ones to be declined come after it


def answerable(found: Sequence[CalibrationExample]) -> list[CalibrationExample]:
    return [drill for drill in found if drill.answers]


def test_held_out_questions_come_as_they_are() -> None:
    found = calibration_examples(lesson())
    assert found[:2] == [
        CalibrationExample("your hours please", frozenset({"Nine to six."})),
        CalibrationExample("is it sunny", frozenset()),
    ]


def test_a_question_with_several_answers_comes_once_with_all_of_them() -> None:
    rows = [("a b", "one"), ("a b", ""), ("a b", "two"), ("c d", "")]
    found = calibration_examples(lesson(held_out=[Exchange(*row) for row in rows]))
    assert found[0] == CalibrationExample("a b", frozenset({"one", "two"}))
    assert found[1] == CalibrationExample("c d", frozenset())


def test_the_same_question_after_other_turns_is_another_one() -> None:
    rows = [Exchange("and then", "one", ("x",)), Exchange("and then", "two", ("y",))]
    found = calibration_examples(lesson(held_out=rows))
    assert found[0] == CalibrationExample("and then", frozenset({"one"}), ("x",))
    assert found[1] == CalibrationExample("and then", frozenset({"two"}), ("y",))


def test_of_few_held_out_questions_learnt_ones_come_again_with_mistakes() -> None:
    found = calibration_examples(lesson(held_out=()))
    wanted = [frozenset({one.answer}) if one.answer else frozenset() for one in LEARNT]
    assert [drill.answers for drill in found[: len(LEARNT)]] == wanted
    changed = [d.question != one.question for d, one in zip(found, LEARNT, strict=False)]
    assert sum(changed) >= len(LEARNT) // 2
    for drill, one in zip(found, LEARNT, strict=False):
        assert abs(len(drill.question) - len(one.question)) <= len(one.question.split())


def test_few_learnt_questions_come_in_several_ways() -> None:
    found = answerable(calibration_examples(lesson(LEARNT[:1], ())))
    assert len(found) > 10
    assert len({drill.question for drill in found}) > len(found) // 2
    assert {drill.answers for drill in found} == {frozenset({"Nine to six."})}


def test_enough_held_out_questions_need_no_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FEWEST", 1)
    assert answerable(calibration_examples(lesson())) == [
        CalibrationExample(OTHERS[0].question, frozenset({"Nine to six."}))
    ]


def test_made_questions_have_no_answer_and_are_none_of_the_corpus() -> None:
    known = {one.question for one in (*LEARNT, *OTHERS)}
    found = calibration_examples(lesson())
    made = made_of(found)
    assert made
    assert found[-len(made) :] == made
    assert all(drill.question not in known for drill in made)


def test_half_of_the_made_questions_have_known_words_and_half_have_none() -> None:
    words = {word for one in LEARNT for word in normalise_answer(one.question).split()}
    made = made_of(calibration_examples(lesson(held_out=())))
    kinds = [
        {word in words for word in normalise_answer(drill.question).split() if len(word) > 3}
        for drill in made
    ]
    assert kinds.count({True}) >= len(made) // 3
    assert kinds.count({False}) >= len(made) // 3


def test_the_same_lesson_gives_the_same_questions() -> None:
    assert calibration_examples(lesson()) == calibration_examples(lesson())


def test_of_very_many_some_are_taken_from_all_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 5)
    rows = [Exchange(f"question {at}", "yes") for at in range(50)]
    asked = [drill.question for drill in calibration_examples(lesson(held_out=rows))[:5]]
    assert asked == ["question 0", "question 10", "question 20", "question 30", "question 40"]


@pytest.mark.parametrize(
    "train",
    [
        [Exchange("hello there", "Hi.")],
        [Exchange("hello there", "Hi."), Exchange("good morning", "Hi.")],
        [Exchange("will it rain", ""), Exchange("who won", "")],
        [Exchange("?!", "Hm."), Exchange("😀", "Hm.")],
        [Exchange("你们几点开门", "九点。"), Exchange("几点关门", "六点。")],
        [Exchange("word " * 2000, "Long.")],
    ],
)
def test_any_corpus_can_be_practised(train: list[Exchange]) -> None:
    found = calibration_examples(lesson(train, ()))
    assert len(found) >= len(train)
    assert all(drill.question.strip() for drill in found)
    answers = {one.answer for one in train} - {""}
    assert {answer for drill in found for answer in drill.answers} == answers
