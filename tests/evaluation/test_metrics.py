"""Every metric against numbers worked out by hand, and against sacrebleu itself."""

from __future__ import annotations

import random

import pytest
from evaluation_fakes import NO_IDEA, figures_of, judged
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF

from chatseq.core.plugins import Registry
from chatseq.text.normalise import units
from chatseq_metrics.bleu import Bleu
from chatseq_metrics.chrf import Chrf
from chatseq_metrics.rouge import RougeL, common_length, f_score
from chatseq_metrics.shares import Declined, ExactMatch
from chatseq_metrics.variety import Distinct, MostFrequentReply


def test_exact_match_takes_any_of_several_answers() -> None:
    right = figures_of(ExactMatch(), judged("b", "a", "b"), judged("c", "a", "b"))
    assert right == {"exact_match": 0.5}


def test_exact_match_minds_case_and_punctuation_but_not_white_space_or_composition() -> None:
    assert figures_of(ExactMatch(), judged("Yes", "yes")) == {"exact_match": 0}
    assert figures_of(ExactMatch(), judged("yes", "yes.")) == {"exact_match": 0}
    assert figures_of(ExactMatch(), judged(" cafe\u0301  noir\n", "caf\u00e9 noir")) == {
        "exact_match": 1
    }


def test_a_declined_reply_is_never_right_even_with_the_right_words() -> None:
    assert figures_of(ExactMatch(), judged(None, NO_IDEA)) == {"exact_match": 0}


def test_exact_match_is_over_the_questions_with_an_answer() -> None:
    assert figures_of(ExactMatch(), judged("a", "a"), judged("a"), judged(None)) == {
        "exact_match": 1
    }
    assert figures_of(ExactMatch(), judged("a"), judged(None)) == {"exact_match": None}


def test_declined_is_over_the_questions_to_be_declined_and_wrongly_declined_over_the_others() -> (
    None
):
    replies = [judged(None), judged("a"), judged("b"), judged(None), judged(None, "a")]
    replies += [judged("a", "a"), judged("b", "a"), judged("c", "a")]
    assert figures_of(Declined(), *replies) == {"declined": 0.5, "wrongly_declined": 0.25}


def test_declined_figures_are_null_without_such_questions() -> None:
    assert figures_of(Declined(), judged(None, "a")) == {"declined": None, "wrongly_declined": 1}
    assert figures_of(Declined(), judged(None)) == {"declined": 1, "wrongly_declined": None}


def test_distinct_divides_words_and_pairs_by_the_number_of_words() -> None:
    # "the cat saw the dog" + "the cat": 7 words, 4 distinct; pairs the-cat, cat-saw, saw-the,
    # the-dog, the-cat: 4 distinct. Pairs never cross replies.
    replies = [judged("The cat saw the dog.", "a"), judged("the cat", "b")]
    assert figures_of(Distinct(), *replies) == {
        "distinct_1": pytest.approx(4 / 7),
        "distinct_2": pytest.approx(4 / 7),
    }


def test_distinct_counts_chinese_by_character() -> None:
    # 你好你好: 4 characters, 2 distinct; pairs 你好, 好你, 你好: 2 distinct.
    assert figures_of(Distinct(), judged("你好,你好", "a")) == {
        "distinct_1": 0.5,
        "distinct_2": 0.5,
    }


def test_the_most_frequent_reply_is_counted_over_the_replies_that_were_given() -> None:
    replies = [judged("a", "x"), judged(" a", "y"), judged("b", "x"), judged(None, "x")]
    assert figures_of(MostFrequentReply(), *replies) == {
        "most_frequent_reply": pytest.approx(2 / 3)
    }


def test_variety_is_null_when_every_question_was_declined() -> None:
    assert figures_of(MostFrequentReply(), judged(None, "a")) == {"most_frequent_reply": None}
    assert figures_of(Distinct(), judged(None, "a")) == {"distinct_1": None, "distinct_2": None}


def test_rouge_l_is_the_f_score_of_the_longest_common_subsequence() -> None:
    # Lin 2004, section 3.1: the common subsequence of 4 and 4 words has 3.
    assert f_score(units("police kill the gunman"), units("police killed the gunman")) == 0.75
    # 2 common words, 3 said, 5 wanted: precision 2/3, recall 2/5, F = 2*2/(3+5).
    assert figures_of(RougeL(), judged("A, c x", "a b c d e")) == {"rouge_l": 0.5}


def test_rouge_l_takes_the_closest_answer_and_the_mean_over_questions() -> None:
    replies = [judged("a b", "x y", "a b"), judged("a b", "c d"), judged("a b")]
    assert figures_of(RougeL(), *replies) == {"rouge_l": 0.5}


def test_rouge_l_counts_chinese_by_character() -> None:
    # 我喜欢茶 against 我爱喝茶: 我 and 茶 of 4 and 4.
    assert figures_of(RougeL(), judged("我喜欢茶。", "我爱喝茶!")) == {"rouge_l": 0.5}


def test_rouge_l_of_a_declined_reply_is_nought() -> None:
    assert figures_of(RougeL(), judged(None, NO_IDEA)) == {"rouge_l": 0}


def test_the_common_length_is_that_of_the_textbook_table() -> None:
    drawn = random.Random(5)  # noqa: S311  (no secret)
    for _ in range(200):
        first = [drawn.choice("abcd") for _ in range(drawn.randrange(90))]
        second = [drawn.choice("abcde") for _ in range(drawn.randrange(90))]
        assert common_length(first, second) == length_by_table(first, second)


def length_by_table(first: list[str], second: list[str]) -> int:
    row = [0] * (len(second) + 1)
    for a in first:
        above = row
        row = [0]
        for at, b in enumerate(second):
            row.append(above[at] + 1 if a == b else max(row[at], above[at + 1]))
    return row[-1]


ENGLISH = [
    ("The cat sat on the mat, you know.", ("The cat sat on a mat.", "A cat is sitting there.")),
    ("No idea at all", ("I have no idea at all.",)),
    ("Well then", ("Well then, let us go home now.", "Then go.", "Go home.")),
]
CHINESE = [
    ("我今天很高兴见到你。", ("我今天很高兴看见你。", "见到你很高兴。")),
    ("你好", ("你好,朋友!",)),
]
Rows = list[tuple[str, tuple[str, ...]]]


def streams(rows: Rows) -> tuple[list[str], list[list[str | None]]]:
    """Return replies and reference streams in sacrebleu's form, short rows filled with None."""
    most = max(len(references) for _, references in rows)
    filled = [[*references, *[None] * (most - len(references))] for _, references in rows]
    return [said for said, _ in rows], [list(stream) for stream in zip(*filled, strict=True)]


@pytest.mark.parametrize(("rows", "tokenize"), [(ENGLISH, "13a"), (CHINESE, "zh")])
def test_bleu_is_sacrebleus_corpus_score(rows: Rows, tokenize: str) -> None:
    expected = BLEU(tokenize=tokenize).corpus_score(*streams(rows)).score
    found = figures_of(Bleu(), *(judged(said, *references) for said, references in rows))
    assert 1 < expected < 99
    assert found == {"bleu": pytest.approx(expected)}


@pytest.mark.parametrize("rows", [ENGLISH, CHINESE, ENGLISH + CHINESE])
def test_chrf_is_sacrebleus_corpus_score(rows: Rows) -> None:
    expected = CHRF().corpus_score(*streams(rows)).score
    found = figures_of(Chrf(), *(judged(said, *references) for said, references in rows))
    assert 1 < expected < 99
    assert found == {"chrf": pytest.approx(expected)}


def test_bleu_of_a_worked_example() -> None:
    # 5 of 6 words, 3 of 5 pairs, 2 of 4 triples, 1 of 3 quadruples match; no brevity penalty.
    expected = 100 * (5 / 6 * 3 / 5 * 2 / 4 * 1 / 3) ** 0.25
    found = figures_of(Bleu(), judged("the cat sat on my mat", "the cat sat on the mat"))
    assert found == {"bleu": pytest.approx(expected)}


def test_bleu_chooses_the_tokenisation_by_the_answers() -> None:
    # Four characters in a row are a match only where Chinese characters are words.
    assert figures_of(Bleu(), judged("我很高兴啊", "我很高兴呀")) != {"bleu": 0}
    assert figures_of(Bleu(), judged("我很高兴啊", "so happy")) == {"bleu": 0}


def test_perfect_replies_reach_a_hundred() -> None:
    replies = [judged(references[0], *references) for _, references in ENGLISH + CHINESE]
    assert figures_of(Bleu(), *replies)["bleu"] == pytest.approx(100)
    assert figures_of(Chrf(), *replies)["chrf"] == pytest.approx(100)
    assert figures_of(RougeL(), *replies)["rouge_l"] == 1


def test_declined_replies_count_as_empty_for_bleu_and_chrf() -> None:
    assert figures_of(Bleu(), judged(None, NO_IDEA)) == {"bleu": 0}
    assert figures_of(Chrf(), judged(None, NO_IDEA)) == {"chrf": 0}


def test_bleu_chrf_and_rouge_are_null_when_no_question_has_an_answer() -> None:
    for metric in (Bleu(), Chrf(), RougeL()):
        assert set(figures_of(metric, judged("a"), judged(None)).values()) == {None}


REPLIES = [
    judged("The cat sat on the mat, you know.", *ENGLISH[0][1], confidence=0.9),
    judged("我今天很高兴见到你。", *CHINESE[0][1], confidence=0.4),
    judged(None, "a word", confidence=0.2, others=["a word"], seen=True),
    judged("a word, no more", "a word", "no more", confidence=0.7, others=["no"], unsure=True),
    judged("a word", confidence=0.6),
    judged(None, confidence=0.1),
    judged("a word", "a word", confidence=0.8, seen=False),
]
METRICS = (
    "aurc",
    "auroc",
    "auroc-right",
    "best-guess",
    "bleu",
    "calibration",
    "chrf",
    "declined",
    "distinct",
    "exact-match",
    "most-frequent-reply",
    "rouge-l",
    "seen-exact-match",
    "suggested",
)


def test_the_plugin_brings_every_metric(registry: Registry) -> None:
    assert set(METRICS) <= set(registry.parts("metric"))


@pytest.mark.parametrize("name", METRICS)
def test_any_split_over_batches_and_workers_gives_the_same_figures(
    registry: Registry, name: str
) -> None:
    make = registry.find("metric", name).load()
    whole = figures_of(make(), *REPLIES)
    workers = [make(), make(), make()]
    for at, reply in enumerate(REPLIES):
        workers[at % 2].add([reply])
    workers[1].merge(workers[2])  # an idle worker adds nothing
    workers[0].merge(workers[1])
    assert workers[0].figures() == whole
    assert None not in whole.values()


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_without_replies_has_nothing_to_say(registry: Registry, name: str) -> None:
    figures = registry.find("metric", name).load()().figures()
    assert figures
    assert set(figures.values()) == {None}


@pytest.mark.parametrize("name", METRICS)
def test_figures_can_be_asked_for_in_between(registry: Registry, name: str) -> None:
    make = registry.find("metric", name).load()
    patient, curious = make(), make()
    patient.add(REPLIES)
    for reply in REPLIES:
        curious.add([reply])
        curious.figures()
    assert curious.figures() == patient.figures()


@pytest.mark.parametrize("name", METRICS)
def test_strange_replies_give_finite_figures(registry: Registry, name: str) -> None:
    strange = ["", "   ", "\u200b", "🙂", "!", "x" * 3000, "\ud800", "a\nb\r\nc", "&quot;"]
    metric = registry.find("metric", name).load()()
    metric.add([judged(said, text) for said in strange for text in strange if text.strip()])
    for value in metric.figures().values():
        assert value is None or 0 <= value <= 100
