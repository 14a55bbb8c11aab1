"""Texts as people also type them: what each kind of noise may change, and what it never does."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatseq.text.noise import carelessly_typed, gibberish, misspelt, reordered, salad

QUESTIONS = [
    "what is my account balance",
    "book a flight to paris",
    "play some jazz music",
    "how will it rain tomorrow",
    "can you set an alarm for me",
]
CHINESE = ["今天天气怎么样", "请帮我订一张机票", "你叫什么名字"]
SEEDS = range(200)
ANYTHING = st.text(max_size=40)


def typings(word: str) -> set[str]:
    """Return everything that a word becomes."""
    return {misspelt(word, 1.0, seed) for seed in range(1000)}


# Typing mistakes.


def test_a_word_of_two_letters_keeps_its_first_and_gets_every_mistake_in_its_second() -> None:
    # The o lies between i and p, above k and l; a swap would move the first letter.
    assert typings("no") == {"n", "noo", "ni", "np", "nk", "nl"}


def test_a_word_of_four_letters_gets_mistakes_everywhere() -> None:
    # The e touches w, r, s and d; the z touches a, s and x.
    assert typings("ezez") >= {
        "zeez", "eezz", "ezze",  # swaps
        "zez", "eez", "ezz", "eze",  # left out
        "eezez", "ezzez", "ezeez", "ezezz",  # twice
        "wzez", "rzez", "szez", "dzez", "eaez", "esez", "exez",  # the key beside it
    }  # fmt: skip
    assert len(typings("ezez")) == 3 + 4 + 4 + 2 * 4 + 2 * 3


def test_the_first_letter_of_a_short_word_is_never_touched() -> None:
    assert {word[0] for word in typings("cat")} == {"c"}
    assert {word[0] for word in typings("cats")} > {"c"}
    assert typings("a") == {"a"}


def test_a_mistake_keeps_the_case_of_its_letter() -> None:
    assert {"NI", "NOO"} <= typings("NO")
    assert all(word.isupper() for word in typings("NO"))


def test_chinese_characters_change_places_or_are_left_out_and_never_become_others() -> None:
    assert typings("你好") == {"好你", "你", "好"}
    assert typings("好") == {"好"}
    assert all(not Counter(said) - Counter("今天天气") for said in typings("今天天气"))


def test_letters_that_no_key_lies_beside_are_not_replaced() -> None:
    assert typings("дом") == {"дмо", "до", "дм", "доом", "домм"}


def test_numbers_and_marks_stay() -> None:
    text = "12345 — 3.5 %, (10:30)?! _"
    assert {misspelt(text, 1.0, seed) for seed in SEEDS} == {text}


def test_about_the_share_of_the_words_is_misspelt() -> None:
    words = "please tell the number of questions " * 400
    for share in (0.15, 0.3):
        pairs = zip(words.split(), misspelt(words, share, 1).split(), strict=True)
        wrong = sum(typed != word for word, typed in pairs)
        assert wrong / 2400 == pytest.approx(share, abs=0.03)
    assert misspelt(words, 0.0, 1) == words


def test_a_word_gets_one_mistake_alone() -> None:
    assert all(abs(len(word) - 8) <= 1 for word in typings("question"))
    for word in typings("question"):
        spoilt = [a != b for a, b in zip(word, "question", strict=False)]
        assert len(word) != 8 or 1 <= sum(spoilt) <= 2


# Other orders.


def test_no_word_moves_further_than_its_reach() -> None:
    text = " ".join(map(str, range(30)))
    for reach in (1, 2, 5):
        moved = [list(map(int, reordered(text, seed, reach).split())) for seed in SEEDS]
        assert all(sorted(order) == list(range(30)) for order in moved)
        distances = {abs(at - number) for order in moved for at, number in enumerate(order)}
        assert distances == set(range(reach + 1))


def test_a_reach_of_none_changes_nothing() -> None:
    assert {reordered("one two three", seed, 0) for seed in SEEDS} == {"one two three"}


def test_marks_and_spaces_stay_where_they_are() -> None:
    said = {reordered("so,  will it (rain)?", seed, 1) for seed in SEEDS}
    assert "will,  so it (rain)?" in said
    assert "so,  will rain (it)?" in said
    assert all(re.fullmatch(r"\w+,  \w+ \w+ \(\w+\)\?", text) for text in said)


def test_numbers_and_words_with_marks_inside_move_as_a_whole() -> None:
    said = {reordered("don't pay 3.50", seed, 2) for seed in SEEDS}
    assert "3.50 don't pay" in said
    assert all(sorted(text.split()) == ["3.50", "don't", "pay"] for text in said)


def test_chinese_characters_move_by_themselves() -> None:
    assert {reordered("你好吗", seed, 1) for seed in SEEDS} == {"好你吗", "你吗好"}


def test_the_order_is_another_one_wherever_there_is_one() -> None:
    assert {reordered("yes no", seed, 2) for seed in SEEDS} == {"no yes"}
    for text in ("yes", "no no no", "", "?!"):
        assert reordered(text, 1, 2) == text


# Careless typing.


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ("What's the BALANCE, please?", "whats the balance please"),
        ("Where's the café-owner’s Ångström?", "wheres the cafe owners angstrom"),
        ("at 10:30, for 3.5 %!", "at 10:30 for 3.5"),
        ("yes,please", "yes please"),
        ("snake_case", "snake case"),
        ("你好，请问？", "你好 请问"),
        ("ガ がっこう й", "ガ がっこう й"),  # these are other letters, not accents
        ("?!", "?!"),
        ("", ""),
    ],
)
def test_case_marks_and_accents_are_dropped(text: str, typed: str) -> None:
    assert carelessly_typed(text) == typed


# Made questions.


def test_neighbours_of_a_salad_come_from_different_questions() -> None:
    sets = [set(question.split()) for question in QUESTIONS]
    for seed in SEEDS:
        words = salad(QUESTIONS, seed).split()
        assert 3 <= len(words) <= 7
        for left, right in itertools.pairwise(words):
            assert not any({left, right} <= words_of for words_of in sets), (left, right)


def test_a_salad_holds_topics_more_often_than_small_words() -> None:
    said = Counter(word for seed in SEEDS for word in salad(QUESTIONS, seed).split())
    assert said["tomorrow"] > 3 * said["it"] > 0  # eight letters against two, of one question
    assert set(said) == {word for question in QUESTIONS for word in question.split()}


def test_a_chinese_salad_has_no_spaces_and_a_mixed_one_has_them_between_scripts() -> None:
    assert all(" " not in salad(CHINESE, seed) for seed in SEEDS)
    mixed = " ".join(salad([*CHINESE, *QUESTIONS], seed) for seed in SEEDS)
    assert re.search(r"[一-龥] [a-z]", mixed)
    assert not re.search(r"[一-龥][a-z]|[a-z][一-龥]", mixed)


def test_too_few_questions_give_less_than_a_salad() -> None:
    assert salad([], 1) == ""
    assert salad(["?!", ""], 1) == ""
    assert salad(["one two", "two one"], 1) in ("one", "two")


def test_gibberish_has_the_shape_of_a_question_and_its_letters() -> None:
    shapes = {re.sub("[a-z]", "x", question) for question in QUESTIONS}
    letters = set("".join(QUESTIONS))
    for seed in SEEDS:
        said = gibberish(seed, QUESTIONS)
        assert re.sub("[a-z]", "x", said) in shapes
        assert set(said) <= letters
        assert said not in QUESTIONS


def test_letters_of_gibberish_are_as_frequent_as_in_the_corpus() -> None:
    like = ["eeee eeee aaaa", "eeee zzzz eeee", "ee ee ee ee aa"]  # 24, 6 and 4 of 34
    said = Counter("".join(gibberish(seed, like) for seed in range(400)).replace(" ", ""))
    for letter, count in (("e", 24), ("a", 6), ("z", 4)):
        assert said[letter] / said.total() == pytest.approx(count / 34, abs=0.02)


def test_gibberish_keeps_marks_case_and_script() -> None:
    said = gibberish(1, ["What, 12 Men? 你好吗"])
    assert re.fullmatch(r"[A-Z][a-z]{3}, [12]{2} [A-Z][a-z]{2}\? [你好吗]{3}", said)
    assert len({gibberish(seed, CHINESE) for seed in SEEDS}) > 100


def test_gibberish_is_long_enough_to_be_none_where_the_corpus_allows_it() -> None:
    assert {len(gibberish(seed, ["hi", "?!!!!!!", "hello"])) for seed in SEEDS} == {5}
    assert len(gibberish(1, ["hi", "o"])) == 2


# All of them.


@given(ANYTHING, st.integers(0, 2**63))
def test_any_text_can_be_spoilt(text: str, seed: int) -> None:
    assert misspelt(text, 0.5, seed) == misspelt(text, 0.5, seed)
    assert sorted(reordered(text, seed, 2)) == sorted(text)
    assert carelessly_typed(carelessly_typed(text)) == carelessly_typed(text)
    assert isinstance(salad([text, "another one"], seed), str)
    assert isinstance(gibberish(seed, [text]), str)


def test_lone_surrogates_are_no_trouble() -> None:
    assert "\udcff" in misspelt("a \udcff word", 1.0, 1) + reordered("a \udcff", 1, 1)


def test_seeds_texts_and_kinds_of_noise_draw_apart() -> None:
    assert len({misspelt("question", 1.0, seed) for seed in range(50)}) > 15
    swaps = [reordered(f"{number} b c d e f g", 1, 2).split() for number in range(50)]
    assert len({tuple(words.index(each) for each in "bcdefg") for words in swaps}) > 15


def test_another_process_draws_the_same() -> None:
    program = (
        "from chatseq.text.noise import *; like = ['who is there', 'one two three'];"
        "print(misspelt('who is there', .9, 5), reordered('a b c d', 5, 2), salad(like, 5),"
        "gibberish(5, like), sep='|')"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1]
    assert said[0].count("|") == 3
