"""The scorer `your-part` keeps to what chatseq asks of scorers, and scores as it should."""

from __future__ import annotations

from math import log
from pathlib import Path

import numpy as np
import pytest
from chatseq.bots.contracts import DECLINE, Query
from chatseq.testing import babbling_bot, contract_tests, teach_scorer

from your_package.scorer import Fitted, YourPart

test_contract = contract_tests("scorer", YourPart, name="your-part")


def test_words_of_the_question_that_stand_in_the_answer_are_weighed(tmp_path: Path) -> None:
    teach_scorer(YourPart(), tmp_path)  # a dozen questions, among them "what is the best horse"
    bot = babbling_bot(folder=tmp_path)
    fitted = YourPart().open(bot)
    assert fitted is not None
    assert bot.answers is not None
    assert fitted.weight("horse") == pytest.approx(log(1 + 12 / 2))  # two of twelve have it
    query = Query("hello robot", bot.reader.read("hello robot"))
    greeting = bot.answers.texts.index("hello there")
    found = fitted.score([query], np.array([[greeting, greeting + 1, DECLINE]]))
    # Two questions have "hello"; none has "robot", which weighs as much as the rarest word.
    hello, robot = log(1 + 12 / 2), log(1 + 12 / 1)
    assert found.scores[0].tolist() == pytest.approx([hello / (hello + robot), 0, 0])


def test_answers_that_share_no_word_are_not_proposed() -> None:
    fitted = Fitted({"open": 1.0}, ["we open at nine", "by card", "open, yes, by card"], 3)
    query = Query("card: open?", None)  # type: ignore[arg-type]  (only its text is read)
    assert fitted.propose([query], 5) == [[2, 0, 1]]
    assert fitted.propose([query], 1) == [[2]]
    assert fitted.propose([query._replace(text="rain")], 5) == [[]]


def test_words_must_have_a_letter() -> None:
    with pytest.raises(ValueError, match=r"shortest \(0\) must be at least 1"):
        YourPart(shortest=0)
