"""The metric `your-part` keeps to what chatseq asks of metrics, and counts as it should."""

from __future__ import annotations

import pytest
from chatseq.evaluation.contracts import JudgedReply
from chatseq.core.exchange import Reply, ReplySource
from chatseq.testing import contract_tests

from your_package.metric import YourPart

test_contract = contract_tests("metric", YourPart, name="your-part")


def judged(said: str, *answers: str, source: ReplySource = ReplySource.GENERATED) -> JudgedReply:
    return JudgedReply("what is it", answers, Reply(said, source, 0.9))


def test_words_in_common_are_counted_with_the_closest_answer() -> None:
    metric = YourPart()
    metric.add([judged("The red cat.", "a red cat", "nothing")])
    # Two words are in common, of three said and three wanted.
    assert metric.figures() == {"your_package": pytest.approx(2 * 2 / (3 + 3))}
    metric.add([judged("the the the", "the dog")])  # one in common, of three and two
    assert metric.figures() == {"your_package": pytest.approx((4 / 6 + 2 / 5) / 2)}


def test_what_has_no_answer_does_not_count_and_what_is_declined_scores_nothing() -> None:
    metric = YourPart()
    metric.add([judged("something")])
    assert metric.figures() == {"your_package": None}
    metric.add([judged("I do not know", "I do not know", source=ReplySource.DECLINED)])
    assert metric.figures() == {"your_package": 0.0}
