"""How the encoder reads a question: folding, features, padding."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from chatseq.text.question import (
    Question,
    QuestionReader,
    folded,
    pad_questions,
    token_features,
)
from chatseq.text.tokenizer import END_ID, FIRST_FREE_ID, PAD_ID


class Letters:
    """A tokenizer whose pieces are single characters."""

    size = 0x110000 + FIRST_FREE_ID

    def encode(self, text: str) -> list[int]:
        return [ord(letter) + FIRST_FREE_ID for letter in text]

    def encode_answer(self, text: str) -> list[int]:
        return self.encode(text)

    def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
        return self.encode(text)

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(self.pieces(ids))

    def pieces(self, ids: Sequence[int]) -> list[str]:
        return [chr(at - FIRST_FREE_ID) for at in ids if at >= FIRST_FREE_ID]

    def to_json(self) -> str:
        return "{}"


def features(*pieces: str, most: int = 50, buckets: int = 1_000_003) -> list[tuple[int, ...]]:
    return token_features(pieces, most, buckets)


def test_case_width_and_quotes_are_read_alike() -> None:
    assert folded("  WHAT’S up？ ") == "what's up?"
    assert folded("ＡＢＣ１") == "abc1"


def test_every_piece_of_a_word_carries_the_features_of_the_whole_word() -> None:
    whole, split = features(" hello"), features(" hel", "lo")
    assert split == [whole[0], whole[0]]


def test_the_word_itself_comes_first_then_the_pair_then_the_ngrams() -> None:
    # <cat>, "<s> cat", and of <cat> 3 three-grams and 2 four-grams
    assert len(features("cat")[0]) == 2 + 3 + 2
    assert len(features("cat", most=4)[0]) == 4


def test_a_misspelt_word_shares_most_ngrams_and_another_word_few() -> None:
    right, wrong, other = (set(features(word)[0]) for word in ("weather", "weathr", "birthday"))
    assert len(right & wrong) >= 6
    assert len(right & other) <= 2  # chance collisions only


def test_the_word_before_changes_one_feature() -> None:
    alone, after = set(features("cat")[0]), set(features("my", " cat")[1])
    assert len(alone - after) == 1


def test_chinese_characters_are_words_with_their_neighbour() -> None:
    first, second = features("你", "好")
    assert len(first) == len(second) == 2  # the character, and it with the one before
    assert features("您", "好")[1] != second  # the pair differs
    assert set(features("您", "好")[1]) & set(second)  # the character does not


def test_spaces_and_marks_between_words_do_not_shift_features() -> None:
    assert features("a", " ", " cat")[2] == features("a", " cat")[1]
    assert features("cat", "  ")[1] == ()


@given(st.lists(st.text(max_size=5), max_size=8))
def test_there_are_as_many_feature_tuples_as_pieces_and_none_is_padding(
    pieces: list[str],
) -> None:
    found = token_features(pieces, 6, 32)
    assert len(found) == len(pieces)
    assert all(0 < feature < 32 for some in found for feature in some)
    assert all(len(some) <= 6 for some in found)


def test_a_question_ends_with_the_end_mark_and_is_cut_to_its_longest() -> None:
    question = QuestionReader(Letters(), features=3, max_tokens=4).read("ABCDEF")
    assert question.ids == (*Letters().encode("abc"), END_ID)
    assert len(question.features) == 4
    assert question.features[-1] == ()


def test_an_empty_question_is_the_end_mark_alone() -> None:
    assert QuestionReader(Letters(), features=3).read("  ") == Question((END_ID,), ((),))


def test_folding_can_be_switched_off() -> None:
    assert QuestionReader(Letters(), fold=False).read("A").ids[0] == Letters().encode("A")[0]


def test_questions_are_padded_at_the_end() -> None:
    padded = pad_questions([Question((5, END_ID), ((7, 8), ())), Question((END_ID,), ((),))], 3)
    assert padded.ids.tolist() == [[5, END_ID], [END_ID, PAD_ID]]
    assert padded.mask.tolist() == [[True, True], [True, False]]
    assert padded.features.tolist() == [[[7, 8, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_without_features_the_array_is_empty() -> None:
    assert pad_questions([Question((5, END_ID), ((), ()))], 0).features.shape == (1, 2, 0)
