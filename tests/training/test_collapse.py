"""The alarm against dull bots: its figures by hand, when it is silent, and that it is told once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from chatseq.cli.training_view import other_lines
from chatseq.core.events import DiversityReport, Remark, Sample, TrainingEvent, ValidationReport
from chatseq.training.checkpoint import RunProgress
from chatseq.training.collapse import collapse_warning, diversity_of
from chatseq.training.run import train
from chatseq.training.validation import ValidationResult, Validator

from .conftest import ANSWERS, MakeJob

TALK = [f"this is what person {at} said in turn {3 * at}, nothing else" for at in range(100)]
DULL = "I don't know."


def warned(replies: list[str], wanted: list[str], *, recurring_answers: bool = False) -> str | None:
    return collapse_warning(diversity_of(replies, wanted), recurring_answers)


def test_the_figures_by_hand() -> None:
    found = diversity_of(["a b a b", "c", "c ", ""], ["a b", "d", "c", "e"])
    # words a b a b c c; pairs ab ba ab
    assert found.replies.distinct_1 == 3 / 6
    assert found.replies.distinct_2 == 2 / 6
    assert found.replies.words == 6 / 4
    assert found.replies.empty == 1 / 4
    assert (found.most_frequent, found.share, found.wanted_share) == ("c", 2 / 4, 1 / 4)
    assert found.wanted.distinct_1 == 1.0
    assert found.wanted.distinct_2 == 1 / 5
    assert found.count == 4


def test_chinese_characters_are_words() -> None:
    found = diversity_of(["我不知道。", "我不知道。"], ["好的", "可以"])
    assert found.replies.distinct_1 == 4 / 8
    assert found.replies.distinct_2 == 3 / 8
    assert found.wanted.words == 2.0


def test_nothing_at_all_has_figures_too() -> None:
    for replies in ([], [""]):
        found = diversity_of(replies, replies)
        assert (found.most_frequent, found.share, found.wanted_share) == ("", 0.0, 0.0)
        assert collapse_warning(found, recurring_answers=False) is None


def test_a_reply_to_much_is_told_with_what_to_change() -> None:
    wanted = [DULL, DULL, *TALK[2:]]
    replies = [DULL] * 38 + TALK[38:]
    told = warned(replies, wanted)
    assert told == (
        "38 % of the validation replies are 'I don't know.' (2 % of the wanted answers are). "
        "Try decoding.adjusters with specificity, the strategy sample, more epochs, a lower "
        "training.learning_rate, or more varied answers."
    )
    faq = warned(replies, wanted, recurring_answers=True)
    assert faq is not None
    assert faq.endswith(
        "Try more epochs, a lower training.learning_rate, or more wordings of the questions."
    )


def test_a_long_reply_is_cut() -> None:
    told = warned(["word " * 30] * 100, TALK)
    assert told is not None
    assert f"'{'word ' * 9}wo…'" in told


def test_lively_talk_is_no_alarm() -> None:
    assert warned(TALK, TALK) is None
    assert warned(TALK[::-1], TALK) is None  # all wrong, but not dull
    assert warned([DULL] * 10 + TALK[10:], TALK) is None


def test_a_faq_with_few_answers_is_no_alarm() -> None:
    answers = list(itertools.islice(itertools.cycle(ANSWERS.values()), 100))
    assert warned(answers, answers, recurring_answers=True) is None
    first = answers[0]  # a fifth of the others are mistaken for one of the four
    leaning = [first if at % 5 == 0 else answer for at, answer in enumerate(answers)]
    assert leaning.count(first) == 40
    assert warned(leaning, answers, recurring_answers=True) is None


def test_leaning_to_yes_is_no_alarm_but_saying_nothing_else_is() -> None:
    wanted = ["yes"] * 60 + ["no"] * 40
    assert warned(["yes"] * 90 + ["no"] * 10, wanted, recurring_answers=True) is None
    told = warned(["yes"] * 100, wanted, recurring_answers=True)
    assert told is not None
    assert told.startswith("100 % of the validation replies are 'yes' (60 % of the wanted")
    assert warned(["yes"] * 100, ["yes"] * 100, recurring_answers=True) is None


def test_few_questions_are_no_alarm() -> None:
    assert warned([DULL] * 4, TALK[:4]) is None
    assert warned([DULL] * 5, TALK[:5]) is not None
    assert warned(["one"] * 5 + TALK[5:20], ["one", *TALK[1:20]]) is None  # 4 more than wanted
    assert warned(["one"] * 6 + TALK[6:20], ["one", *TALK[1:20]]) is not None


def test_empty_replies_are_told_before_all_else() -> None:
    told = warned([""] * 50 + [DULL] * 50, ["", "", *TALK[2:]])
    assert told == (
        "50 % of the validation replies are empty (2 % of the wanted answers are). Try more "
        "epochs, a lower training.learning_rate, or fewer rows with an empty answer."
    )
    declining = [""] * 60 + TALK[60:]
    assert warned(declining, declining) is None
    assert warned([""] * 9 + TALK[9:], TALK) is None


def test_replies_that_never_end_are_told() -> None:
    replies = [f"{at} and so on " * 8 for at in range(100)]
    assert warned(replies, ["nine"] * 50 + ["ten"] * 50) == (
        "The validation replies are 32.0 words long (the wanted answers 1.0). Try "
        "decoding.adjusters with ngram-block, a smaller decoding.max_length, more epochs, a lower "
        "training.learning_rate."
    )
    four_more = [f"it is {at} o'clock" for at in range(20)]
    assert warned(four_more, [f"{at}" for at in range(20)]) is None


def test_replies_without_variety_are_told() -> None:
    few = ["I do not know that at all, my friend", "what do you mean by saying that to me"]
    few += ["that is good to hear, tell me more", "yes, of course I do like the film very much"]
    few += ["no, I never did that before in my life", "me too, I like it a lot these days, so"]
    few += ["I have to go now, see you another time", "it was nice to talk to you about it today"]
    lively = [" ".join(f"w{at * 8 + place}" for place in range(8)) for at in range(100)]
    told = warned(list(itertools.islice(itertools.cycle(few), 100)), lively)
    assert told is not None
    assert told.startswith("The validation replies have a distinct-2 of 0.0")
    assert "(the wanted answers 0.88). Try decoding.adjusters with specificity" in told


def test_replies_of_one_word_are_told() -> None:
    wanted = ["some ten words about it, each of them the same again"] * 100
    assert warned([f"word{at}" for at in range(100)], wanted) == (
        "The validation replies are 1.0 words long (the wanted answers 11.0). Try a larger "
        "decoding.max_length, decoding.adjusters with minimum-length, more epochs, a lower "
        "training.learning_rate."
    )
    assert warned([f"word{at}" for at in range(100)], ["some words"] * 100) is None


DULL_ONE = diversity_of([DULL] * 50, TALK[:50])
LIVELY = diversity_of(TALK[:50], TALK[:50])


def judging(monkeypatch: pytest.MonkeyPatch, found: Iterator[DiversityReport]) -> None:
    """Let each validation find this variety."""

    def judge(validator: Validator) -> ValidationResult:
        return ValidationResult(1.0, 0.5, (), next(found))

    monkeypatch.setattr(Validator, "validate", judge)


def told(events: list[TrainingEvent]) -> list[int]:
    """Return after how many validations the alarm was told."""
    seen, found = 0, []
    for event in events:
        seen += isinstance(event, ValidationReport)
        if isinstance(event, Remark) and DULL in event.text:
            found.append(seen)
    return found


FOUR = ("training.validations=4", "training.patience=9", "training.max_epochs=4")


@pytest.mark.slow("trains several bots")
@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("found", "after"),
    [
        ([DULL_ONE] * 4, [2]),  # not in the first half, and not again
        ([LIVELY] * 4, []),
        ([DULL_ONE, LIVELY, LIVELY, LIVELY], []),
        ([LIVELY, LIVELY, LIVELY, DULL_ONE], [4]),
    ],
)
def test_a_run_tells_it_once_and_not_before_its_second_half(
    make_job: MakeJob,
    monkeypatch: pytest.MonkeyPatch,
    found: list[DiversityReport],
    after: list[int],
) -> None:
    judging(monkeypatch, iter(found))
    events = list(train(make_job(*FOUR)))
    assert told(events) == after
    reports = [event for event in events if isinstance(event, ValidationReport)]
    assert [report.variety for report in reports] == found


@pytest.mark.slow("trains several bots")
@pytest.mark.usefixtures("home")
def test_a_run_that_goes_on_does_not_tell_it_again(
    make_job: MakeJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging(monkeypatch, itertools.repeat(DULL_ONE))
    stops = iter([False] * 20 + [True])
    first: list[TrainingEvent] = []
    job = make_job(*FOUR)
    for event in train(job, stop=lambda: bool(told(first)) and next(stops, True)):
        first.append(event)
    assert told(first)
    again = list(train(make_job(*FOUR, "training.max_epochs=9"), resume=True))
    assert any(isinstance(event, ValidationReport) for event in again)
    assert told(again) == []
    assert RunProgress().collapse_reported is False


@pytest.mark.usefixtures("home")
def test_a_validation_compares_its_replies_with_the_first_listed_answers(
    make_job: MakeJob,
) -> None:
    job = make_job("data.validation_share=0")
    from .test_validation import model_of

    judged = Validator(job, model_of(job)).validate()
    assert judged.variety.count == 40
    assert judged.variety.wanted == diversity_of([], [*ANSWERS.values()] * 10).wanted


def test_the_view_tells_the_variety_where_there_is_room() -> None:
    report = ValidationReport(
        120, 2, 1.1, 3.0, 0.82, True, (Sample("how", "so", "as this"),), DULL_ONE
    )
    head = "After step 120: perplexity 3, word for word right 82%, the best so far"
    figures = "; distinct-2 0.01 of 0.37, 100% alike"
    wide, narrow = len(head + figures), len(head + figures) - 1
    assert other_lines(report, wide)[0] == head + figures
    assert other_lines(report, narrow)[0] == head
    assert other_lines(report)[0] == head + figures
