"""The tokenizer `your-part` keeps to what chatseq asks of tokenizers, and cuts as it should."""

from __future__ import annotations

from chatseq.testing import contract_tests
from chatseq.text.tokenizer import FIRST_FREE_ID

from your_package.tokenizer import YourPart

test_contract = contract_tests("tokenizer", YourPart, name="your-part")

FIRST = FIRST_FREE_ID + 256  # after the bytes


def test_the_most_frequent_words_have_ids_and_others_are_spelt() -> None:
    tokenizer = YourPart(vocabulary_size=FIRST + 2).learn(["go on", "go on", "go up"])
    assert tokenizer.size == FIRST + 2
    assert tokenizer.encode("go on") == [FIRST, FIRST + 1]
    assert tokenizer.pieces([FIRST, FIRST + 1]) == ["go", " on"]
    spelt = [FIRST_FREE_ID + byte for byte in b" up"]
    assert tokenizer.encode("go up") == [FIRST, *spelt]
    assert tokenizer.decode([FIRST, *spelt]) == "go up"
