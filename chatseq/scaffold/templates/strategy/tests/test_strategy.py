"""The strategy `your-part` keeps to what chatseq asks of strategies, and chooses as it should."""

from __future__ import annotations

from math import log

import pytest
from chatseq.decoding.search import Decoding
from chatseq.testing import ScriptedEngine, contract_tests, questions_of
from chatseq.text.tokenizer import END_ID

from your_package.strategy import YourPart

test_contract = contract_tests("strategy", YourPart, name="your-part")


def likely(question: tuple[int, ...], reply: tuple[int, ...]) -> dict[int, float]:
    """After each letter, another letter is a little likelier than the end."""
    return {3: 0.5, END_ID: 0.4, 4: 0.1} if len(reply) < 2 else {END_ID: 1.0}


@pytest.mark.parametrize(
    ("margin", "reply", "probability"),
    [
        (0.0, (3, 3), 0.5 * 0.5 * 1.0),
        (0.2, (3, 3), 0.5 * 0.5 * 1.0),  # ln 0.5 - ln 0.4 is 0.223
        (0.3, (), 0.4),
    ],
)
def test_the_margin_decides_when_a_reply_ends(
    margin: float, reply: tuple[int, ...], probability: float
) -> None:
    engine = ScriptedEngine(likely, vocabulary_size=5)
    search = Decoding(engine, questions_of([3]), YourPart(margin=margin), max_length=10)
    for _ in search:
        pass
    (found,) = search.hypotheses(0)
    assert found.tokens == reply
    assert found.score == pytest.approx(log(probability))
