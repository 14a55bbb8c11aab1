"""Which questions of an evaluation stand in the corpus that a bot was trained on."""

from __future__ import annotations

from pathlib import Path

import pytest
from evaluation_fakes import TableBot

from chatseq.bots.bundle.pairs import PAIRS, PLACES, write_pairs
from chatseq.core.errors import BundleError
from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.evaluation.report import evaluate
from chatseq.evaluation.training_overlap import questions_in_training


def corpus(folder: Path, *questions: str) -> Path:
    write_pairs(folder, [Exchange(question, "a", source="x.csv:1") for question in questions])
    return folder


def test_a_question_is_seen_whatever_its_case_width_and_quotes(tmp_path: Path) -> None:
    folder = corpus(tmp_path, "What’s that?", "ＧＰＵ很贵吗")
    asked = ["WHAT'S that? ", "What is that?", "gpu很贵吗", "gpu"]
    assert questions_in_training(folder, asked) == {"WHAT'S that? ", "gpu很贵吗"}


def test_nobody_knows_what_a_bot_without_its_corpus_has_seen(tmp_path: Path) -> None:
    assert questions_in_training(None, ["a"]) is None
    assert questions_in_training(tmp_path, ["a"]) is None
    assert questions_in_training(corpus(tmp_path), ["a"]) is None


def test_figures_tell_seen_from_unseen_questions(registry: Registry, tmp_path: Path) -> None:
    bot = TableBot(folder=corpus(tmp_path, "A", "ab"))
    wanted = [Exchange("a", "a"), Exchange("ab", "b"), Exchange("b", "b")]
    report = evaluate(bot, wanted, registry)
    assert (report.seen_exact_match, report.unseen_exact_match) == (0.5, 1)


def test_a_bot_without_its_corpus_has_neither_figure(registry: Registry) -> None:
    report = evaluate(TableBot(), [Exchange("a", "a")], registry)
    assert (report.seen_exact_match, report.unseen_exact_match) == (None, None)


@pytest.mark.parametrize("line", [b"{not json}\n", b'{"answer": "a"}\n', b"[1]\n"])
def test_a_damaged_corpus_is_told_with_its_place(tmp_path: Path, line: bytes) -> None:
    whole = (corpus(tmp_path, "a") / PAIRS).read_bytes()
    (tmp_path / PAIRS).write_bytes(line.ljust(len(whole)))
    with pytest.raises(BundleError) as told:
        questions_in_training(tmp_path, ["a"])
    assert str(told.value).startswith("The corpus that the bot was trained on cannot be read: ")
    assert str(told.value).endswith(f". {tmp_path}. Train the bot again, or import it again.")


def test_a_missing_half_of_a_corpus_is_told(tmp_path: Path) -> None:
    (corpus(tmp_path, "a") / PAIRS).unlink()
    assert (tmp_path / PLACES).is_file()
    with pytest.raises(BundleError, match="cannot be read"):
        questions_in_training(tmp_path, ["a"])
