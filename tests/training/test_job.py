"""What a run works on: how a corpus is parted, learnt by the tokenizer, and named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from chatseq.core.errors import ChatseqError, PartError, TrainingError
from chatseq.core.exchange import Exchange
from chatseq.core.paths import starter_folder
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.corpus.traits import is_dialogue
from chatseq.text.normalise import question_key
from chatseq.training.choose_recipe import (
    choose_recipe,
    recipe_for,
    starter_files,
    starter_recipe,
)
from chatseq.training.dry_run import dry_run
from chatseq.training.job import prepare

from .conftest import MakeJob, exchanges, small_recipe


def test_no_question_is_learnt_and_validated(make_job: MakeJob) -> None:
    job = make_job("data.validation_share=0.25")
    learnt = {question_key(e.question) for e in job.train.exchanges}
    held = {question_key(e.question) for e in job.validation.exchanges}
    assert len(held) == 10
    assert not learnt & held
    assert len(learnt) + len(held) == 40


def test_few_questions_are_validated_on_themselves_with_a_remark(make_job: MakeJob) -> None:
    job = make_job(rows=exchanges()[:12])
    assert job.validation.exchanges == job.train.exchanges == exchanges()[:12]
    (remark,) = job.remarks
    assert remark.startswith("12 distinct questions are too few to spare any for validation")


def test_a_share_that_rounds_to_nothing_validates_on_the_questions_themselves(
    make_job: MakeJob,
) -> None:
    job = make_job("data.validation_share=0.001")
    assert len(job.validation) == len(job.train) == 40
    assert len(job.remarks) == 1


def test_a_share_of_zero_is_no_surprise(make_job: MakeJob) -> None:
    assert make_job("data.validation_share=0").remarks == ()


def test_one_exchange_is_enough(make_job: MakeJob) -> None:
    assert len(make_job(rows=exchanges()[:1]).train) == 1


def test_nothing_is_too_little(make_job: MakeJob, registry: Registry) -> None:
    with pytest.raises(TrainingError, match="no exchanges to learn from"):
        prepare(registry, [], small_recipe(), name="x")


def test_answers_that_are_all_too_long_are_told(make_job: MakeJob) -> None:
    with pytest.raises(TrainingError, match=r"All \d+ answers are .*max_answer_tokens \(2\)"):
        make_job("data.max_answer_tokens=2", rows=rows_of_letters())


def test_some_answers_that_are_too_long_are_counted(make_job: MakeJob) -> None:
    rows = [*exchanges(), Exchange("long", "qwertzuiop " * 40)]
    job = make_job("data.max_answer_tokens=40", rows=rows)
    assert "1 exchanges were left out" in " ".join(job.remarks)


def rows_of_letters() -> list[Exchange]:
    letters = "bcdfghjklmnpqrstvwxz"
    return [Exchange(f"question {c}", c + letters) for c in letters]


def test_a_misspelt_part_is_told_before_anything_is_learnt(make_job: MakeJob) -> None:
    with pytest.raises(PartError, match="No attention named 'genral'"):
        make_job("model.attention.name=genral")


def test_answers_recur_in_a_faq_and_not_in_translation(make_job: MakeJob) -> None:
    assert make_job().answers_recur
    assert not make_job(rows=[replace(e, answer=e.question) for e in exchanges()]).answers_recur


def test_the_fingerprint_follows_every_word_and_the_order(make_job: MakeJob) -> None:
    base = make_job().corpus.fingerprint
    rows = exchanges()
    assert make_job().corpus.fingerprint == base
    assert make_job(rows=rows[::-1]).corpus.fingerprint != base
    assert make_job(rows=[replace(rows[0], answer="x"), *rows[1:]]).corpus.fingerprint != base
    moved = [replace(rows[0], question="how do I", answer="train" + rows[0].answer), *rows[1:]]
    assert make_job(rows=moved).corpus.fingerprint != base


def test_the_key_changes_with_what_is_learnt_not_with_how_long(make_job: MakeJob) -> None:
    base = make_job().compatibility_key()
    assert make_job("training.max_epochs=99", "training.minutes=3").compatibility_key() == base
    assert make_job("training.seed=9").compatibility_key() != base
    assert make_job("model.dropout=0.5").compatibility_key() != base


def test_the_recipe_follows_the_size_and_whether_answers_recur() -> None:
    recurring = [Exchange("a", "b")] * 20_000
    once = [Exchange("a", str(number)) for number in range(5_000)]
    assert recipe_for(recurring) == "faq"
    assert recipe_for([*recurring, *recurring]) == "small"
    assert recipe_for(once) == "by-heart"
    assert recipe_for([*once, Exchange("a", "b")]) == "small"
    assert recipe_for(once[:5] * 2) == "faq"


def talk(count: int, answer: str = "{}", *, with_turns: int = 1, of: int = 1) -> list[Exchange]:
    """Return exchanges of which some have earlier turns."""
    return [
        Exchange("a", answer.format(at), context=("b", "c") if at % of < with_turns else ())
        for at in range(count)
    ]


@pytest.mark.parametrize(
    ("exchanges", "name"),
    [
        (talk(5_001), "dialogue"),
        (talk(5_000), "by-heart"),
        (talk(20_000, "yes"), "faq"),
        (talk(20_001, "yes"), "dialogue"),
    ],
)
def test_conversations_of_any_size_are_read_with_the_two_turns_before(
    exchanges: list[Exchange], name: str
) -> None:
    chosen, named = choose_recipe(exchanges), load_recipe(name)
    assert recipe_for(exchanges) == name
    question, model = chosen.question, chosen.model
    assert (question.context_turns, question.max_tokens, model.turn_vectors) == (2, 96, True)
    assert chosen.training == named.training
    assert model.encoder == named.model.encoder
    alone = [replace(each, context=()) for each in exchanges]
    assert choose_recipe(alone) == load_recipe(recipe_for(alone))
    assert choose_recipe(alone).question.context_turns == 0


def test_a_quarter_of_the_exchanges_with_earlier_turns_makes_a_talk() -> None:
    assert is_dialogue(talk(400, of=4))
    assert not is_dialogue([*talk(400, of=4), Exchange("a", "b")])
    assert recipe_for(talk(8_000, of=4)) == "dialogue"
    assert recipe_for(talk(8_000, of=5)) == "small"


def test_the_starter_bot_never_learns_what_is_held_back() -> None:
    names = [path.name for path in starter_files()]
    assert {"chatseq.tsv", "declined.tsv"} <= set(names)
    assert not {"held_back.tsv", "held_back_declined.tsv"} & set(names)
    assert len(names) == len(list(starter_folder().glob("starter_*/[!h]*.tsv")))


def test_every_file_that_begins_with_held_back_is_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatseq.training.choose_recipe.starter_folder", lambda: tmp_path)
    folder = tmp_path / "starter_xx"
    folder.mkdir()
    for name in ("held_back", "held_back_more", "said", "withheld_back"):
        (folder / f"{name}.tsv").touch()
    assert [path.stem for path in starter_files()] == ["said", "withheld_back"]


def test_missing_starter_corpora_are_told(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatseq.training.choose_recipe.starter_folder", lambda: tmp_path)
    with pytest.raises(ChatseqError, match=r"no starter corpora in .*chatseq train FILE"):
        starter_files()


def test_the_starter_bot_has_less_than_a_minute() -> None:
    minutes = starter_recipe().training.minutes
    assert minutes is not None
    assert minutes < 1


def test_a_dry_run_estimates_and_writes_nothing(make_job: MakeJob, home: object) -> None:
    trial = dry_run(make_job("training.max_epochs=100"))
    assert sum(trial.parameters.values()) > 1000
    assert len(trial.losses) == 2
    assert trial.steps > 100
    assert trial.seconds > 0
    assert trial.memory_mb is None or trial.memory_mb > 50
    assert list(home.iterdir()) == []  # type: ignore[attr-defined]


def test_a_dry_run_counts_what_each_part_learns(make_job: MakeJob) -> None:
    found = dry_run(make_job("question.features=0")).parameters
    assert list(found) == [
        "embeddings",
        "encoder 'gru'",
        "decoder 'gru' with the attention 'general'",
        "output 'tied'",
    ]
    rows = 64 * -(-make_job().tokenizer.size // 64)  # the output layer's, filled up
    assert found["embeddings"] == rows * 8 + rows
    # Two directions of 3 gates with input 8, hidden 6 and two biases; the summary of 24 to 12.
    assert found["encoder 'gru'"] == 2 * 3 * 6 * (8 + 6 + 2) + 24 * 12 + 12
    assert found["output 'tied'"] == 0


def test_a_dry_run_knows_the_limit_of_time(make_job: MakeJob) -> None:
    limited = make_job("training.max_epochs=100000", "training.minutes=0.05")
    assert dry_run(limited).seconds < 10
