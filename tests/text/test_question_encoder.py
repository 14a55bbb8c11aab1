"""How the encoder reads a question: folding, features, padding."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.text.question_encoder import (
    Question,
    QuestionEncoder,
    newest_turns,
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
    question = QuestionEncoder(Letters(), features=3, max_tokens=4).read("ABCDEF")
    assert question.ids == (*Letters().encode("abc"), END_ID)
    assert len(question.features) == 4
    assert question.features[-1] == ()


def test_an_empty_question_is_the_end_mark_alone() -> None:
    assert QuestionEncoder(Letters(), features=3).read("  ") == Question((END_ID,), ((),))


def test_folding_can_be_switched_off() -> None:
    assert QuestionEncoder(Letters(), fold=False).read("A").ids[0] == Letters().encode("A")[0]


# Earlier turns.

CONTEXT = ("one", "two", "three")


def with_context(question: str, *, turns: int, most: int = 64) -> list[str]:
    """Return the turns that are read, oldest first."""
    reader = QuestionEncoder(Letters(), context_turns=turns, max_tokens=most)
    ids = reader.read(question, CONTEXT).ids
    assert len(ids) <= most
    assert ids[-1] == END_ID
    *read, nothing = "".join("|" if at == END_ID else Letters().decode([at]) for at in ids).split(
        "|"
    )
    assert nothing == ""
    return read


def test_the_newest_turns_are_read_before_the_question_each_with_an_end_mark() -> None:
    ids = QuestionEncoder(Letters(), context_turns=2).read("now", CONTEXT).ids
    assert ids == tuple(
        token for turn in ("two", "three", "now") for token in (*Letters().encode(turn), END_ID)
    )
    assert with_context("now", turns=9) == ["one", "two", "three", "now"]


def test_without_context_turns_nothing_of_the_context_is_read() -> None:
    reader = QuestionEncoder(Letters(), features=3)
    assert reader.read("now", CONTEXT) == reader.read("now")
    assert reader.sample("now", 1, 0.5, CONTEXT) == reader.sample("now", 1, 0.5)
    assert reader.turns_read(CONTEXT) == ()


def test_a_question_without_context_is_the_same_whatever_might_be_read() -> None:
    assert QuestionEncoder(Letters(), context_turns=2).read("now") == QuestionEncoder(
        Letters()
    ).read("now")


@pytest.mark.parametrize(
    ("most", "read"),
    [
        (14, ["two", "three", "now"]),  # 3 + 1 + 5 + 1 + 3 + 1
        (13, ["wo", "three", "now"]),  # a turn loses its beginning
        (12, ["o", "three", "now"]),
        (11, ["three", "now"]),  # an end mark alone is not worth its place
        (9, ["hree", "now"]),  # nothing older follows a turn that was cut
        (6, ["e", "now"]),
        (5, ["now"]),
        (4, ["now"]),
        (3, ["no"]),  # the question loses its end
    ],
)
def test_room_goes_to_the_question_then_to_the_newest_turns(most: int, read: list[str]) -> None:
    assert with_context("now", turns=2, most=most) == read


def test_blank_turns_are_passed_over() -> None:
    reader = QuestionEncoder(Letters(), context_turns=2)
    assert reader.turns_read(["one", "two", " ", ""]) == ("one", "two")
    assert newest_turns(["", "\n"], 5) == ()


def test_every_turn_is_folded_and_carries_features_of_its_own_words() -> None:
    reader = QuestionEncoder(Letters(), features=5, context_turns=1)
    earlier, question = reader.read("My cat"), reader.read("cat")
    joined = reader.read("cat", ["MY CAT"])
    assert joined.ids == earlier.ids + question.ids
    assert joined.features == earlier.features + question.features  # no word before "cat"


def test_every_turn_is_read_in_a_random_segmentation() -> None:
    class Torn(Letters):
        def sample(self, text: str, seed: int, *, dropout: float = 0.1) -> list[int]:
            return [len(text), seed, round(dropout * 10)]

    reader = QuestionEncoder(Torn(), context_turns=1)
    assert reader.sample("now", 7, 0.5, CONTEXT).ids == (5, 7, 5, END_ID, 3, 7, 5, END_ID)


def test_questions_are_padded_at_the_end() -> None:
    padded = pad_questions([Question((5, END_ID), ((7, 8), ())), Question((END_ID,), ((),))], 3)
    assert padded.ids.tolist() == [[5, END_ID], [END_ID, PAD_ID]]
    assert padded.mask.tolist() == [[True, True], [True, False]]
    assert padded.features.tolist() == [[[7, 8, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0]]]


def test_without_features_the_array_is_empty() -> None:
    assert pad_questions([Question((5, END_ID), ((), ()))], 0).features.shape == (1, 2, 0)
