"""The tokenizer `unigram` against numbers worked out by hand."""

from __future__ import annotations

import math
import random
from collections import Counter

import numpy as np
import pytest
from texts import CHINESE, CORPUS
from tokenizers import models

from chatseq.core.errors import PartError
from chatseq.core.options import build_part
from chatseq.core.plugins import Registry
from chatseq.text.byte_fallback import BYTES, FIRST_PIECE_ID, MARKS
from chatseq_subword.lattice import Lattice
from chatseq_subword.likelihood import learn_pieces
from chatseq_subword.pipeline import pipeline
from chatseq_subword.unigram import Drawing, Unigram

A, B, AB = range(FIRST_PIECE_ID, FIRST_PIECE_ID + 3)
PIECES = [("a", math.log(0.25)), ("b", math.log(0.25)), ("ab", math.log(0.5))]


def drawing(alpha: float) -> Drawing:
    fixed = [(name, math.log(0.25)) for name in (*MARKS, *BYTES)]
    return Drawing(pipeline(models.Unigram([*fixed, *PIECES], unk_id=0, byte_fallback=True)), alpha)


def shares(word: str, *, alpha: float, dropout: float = 1.0) -> dict[tuple[int, ...], float]:
    """How often each segmentation is drawn."""
    draw, cut = random.Random(7), drawing(alpha)  # noqa: S311
    drawn = Counter(tuple(cut(word, dropout, draw)) for _ in range(4000))
    return {ids: count / 4000 for ids, count in drawn.items()}


def test_all_ways_to_cut_a_word_add_up() -> None:
    lattice = Lattice({"ab": 2, "a": 1}, ["a", "b", "ab"], 2)
    found = lattice.likelihoods(np.log([0.25, 0.25, 0.5]))
    assert np.exp(found) == pytest.approx([0.5 + 0.25 * 0.25, 0.25])


def test_expected_counts_are_shared_among_the_ways() -> None:
    # "ab" is whole with 0.5 / 0.5625 = 8/9, and stands twice
    lattice = Lattice({"ab": 2, "a": 1}, ["a", "b", "ab"], 2)
    found = lattice.expected_counts(np.log([0.25, 0.25, 0.5]))
    assert found == pytest.approx([2 / 9 + 1, 2 / 9, 16 / 9])


def test_overlapping_pieces_are_all_seen() -> None:
    # a a a = 1/8, aa a = 1/8, a aa = 1/8: 5 a and 2 aa over three ways
    lattice = Lattice({"aaa": 1}, ["a", "aa"], 2)
    assert lattice.expected_counts(np.log([0.5, 0.25])) == pytest.approx([5 / 3, 2 / 3])


def test_no_piece_is_longer_than_the_longest() -> None:
    lattice = Lattice({"aaa": 1}, ["a", "aa", "aaa"], 2)
    found = lattice.expected_counts(np.log([0.5, 0.25, 0.25]))
    assert found == pytest.approx([5 / 3, 2 / 3, 0])


def test_without_the_whole_word_only_its_parts_count() -> None:
    lattice = Lattice({"ab": 1, "a": 1}, ["a", "b", "ab"], 2, whole=False)
    with np.errstate(divide="ignore"):
        assert np.exp(lattice.likelihoods(np.log([0.25, 0.25, 0.5]))) == pytest.approx([1 / 16, 0])


def test_a_piece_that_is_out_is_in_no_way() -> None:
    lattice = Lattice({"ab": 1}, ["a", "b", "ab"], 2)
    scores = np.array([math.log(0.25), math.log(0.25), -math.inf])
    assert lattice.expected_counts(scores) == pytest.approx([1, 1, 0])


def test_words_of_all_lengths_find_their_place() -> None:
    words = {"b": 1, "abab": 1, "a": 1, "ab": 1}
    found = Lattice(words, ["a", "b"], 3).likelihoods(np.log([0.5, 0.25]))
    assert np.exp(found) == pytest.approx([0.25, 1 / 64, 0.5, 1 / 8])


def test_scores_are_those_of_two_estimates_worked_out_by_hand() -> None:
    a, b, ab = 40 / 164, 44 / 164, 80 / 164  # the first guess: counts, times the length for "ab"
    for _ in range(2):
        whole = ab / (ab + a * b)
        counts = 40 * (1 - whole), 40 * (1 - whole) + 4, 40 * whole
        a, b, ab = (count / sum(counts) for count in counts)
    found = learn_pieces({"ab": 40, "b": 4}, ["a", "b"], most=3, longest=4)
    expected = [("ab", math.log(ab)), ("b", math.log(b)), ("a", math.log(a))]
    assert [piece for piece, _ in found] == [piece for piece, _ in expected]
    assert [s for _, s in found] == pytest.approx([s for _, s in expected], abs=1e-6)


def test_characters_stay_and_take_over_what_a_dropped_piece_wrote() -> None:
    found = learn_pieces({"ab": 10, "b": 1}, ["a", "b"], most=2, longest=4)
    expected = [("b", math.log(11 / 21)), ("a", math.log(10 / 21))]
    assert found == [(piece, round(score, 6)) for piece, score in expected]


def test_the_piece_that_the_corpus_would_miss_more_stays() -> None:
    words = {"cd": 3, "ab": 10, "acbd": 2}
    found = dict(learn_pieces(words, list("abcd"), most=5, longest=4))
    assert set(found) == {*"abcd", "ab"}


def test_a_character_outside_the_alphabet_parts_words() -> None:
    found = dict(learn_pieces({"ab#ab": 5, "#": 3}, ["a", "b"], most=9, longest=5))
    assert set(found) <= {"a", "b", "ab"}
    assert "ab" in found


def test_long_runs_are_learnt_from_to_their_end() -> None:
    run = "x" * 40 + "ab" * 30
    found = dict(learn_pieces({run: 2}, ["x", "a", "b"], most=50, longest=4))
    assert "abab" in found


def test_a_word_is_cut_by_chance_as_likely_as_the_model_says() -> None:
    assert shares("ab", alpha=1) == pytest.approx({(AB,): 8 / 9, (A, B): 1 / 9}, abs=0.02)


def test_alpha_flattens_and_sharpens() -> None:
    assert shares("ab", alpha=0) == pytest.approx({(AB,): 1 / 2, (A, B): 1 / 2}, abs=0.03)
    # squared: 1/4 against 1/256
    assert shares("ab", alpha=2)[A, B] == pytest.approx(1 / 65, abs=0.01)
    assert shares("ab", alpha=100) == {(AB,): 1}


def test_dropout_is_the_share_of_words_left_to_chance() -> None:
    assert shares("ab", alpha=0, dropout=0.4)[A, B] == pytest.approx(0.4 / 2, abs=0.02)
    assert shares("ab", alpha=0, dropout=0) == {(AB,): 1}


def test_an_unknown_character_is_spelt_in_bytes_in_every_segmentation() -> None:
    spelt = tuple(3 + byte for byte in "é".encode())
    assert set(shares("abé", alpha=1)) == {(AB, *spelt), (A, B, *spelt)}


def test_samples_differ_and_the_likeliest_comes_most() -> None:
    learnt = Unigram(vocabulary_size=600).learn(CORPUS * 2)
    text = "How do I train a bot on my own file?"
    samples = Counter(tuple(learnt.sample(text, seed, dropout=0.1)) for seed in range(200))
    assert len(samples) > 5
    assert samples.most_common(1)[0][0] == tuple(learnt.encode(text))


def test_words_of_the_corpus_become_few_pieces() -> None:
    learnt = Unigram(vocabulary_size=600).learn(CORPUS * 2)
    assert len(learnt.encode("the training")) == 2
    assert len(learnt.encode(CHINESE[0])) < len(CHINESE[0])


def test_the_size_is_never_above_the_wanted_one() -> None:
    draw = random.Random(0)  # noqa: S311
    words = ["".join(draw.choices("abcdefghij", k=5)) for _ in range(900)]
    sizes = [Unigram(vocabulary_size=wanted).learn(words * 3).size for wanted in (512, 600, 701)]
    assert sizes == [512, 600, 701]


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"vocabulary_size": 100}, r"vocabulary_size \(100\) must be at least 512"),
        ({"longest": 0}, r"longest \(0\) must be at least 1. Set it to 16"),
        ({"alpha": -1.0}, r"alpha \(-1.0\) must be 0 or more. Set it to 0.2"),
        ({"alpha": math.nan}, r"alpha \(nan\) must be 0 or more"),
    ],
)
def test_an_option_that_makes_no_sense_is_told(
    registry: Registry, options: dict[str, float], told: str
) -> None:
    with pytest.raises(PartError, match=told):
        build_part(registry, "tokenizer", {"name": "unigram", **options}, where="in r.toml")
