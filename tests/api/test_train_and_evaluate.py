"""Training and judging a bot from a program."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from conftest import TAUGHT

from chatseq import Bot, ChatseqError, Exchange, evaluate, read_corpus, train
from chatseq.bots.bundle import default_bot, open_bundle
from chatseq.cli.bots import bots
from chatseq.cli.main import run
from chatseq.core.events import CorpusReport, FinishedReport, StepReport, TrainingEvent
from chatseq.core.plugins import Registry
from chatseq.core.recipe import load_recipe
from chatseq.corpus.licence import NAMES, licence_of

PAIRS = [
    (wording.format(topic), answer)
    for topic, answer in (("opening hours", "We open at nine."), ("the address", "5 Mill Lane."))
    for wording in ("{}", "tell me {}", "what about {}?", "{} please", "say {}", "and {}")
]
QUICK = {
    "training.max_epochs": 1,
    "training.min_steps": 0,
    "training.validations": 1,
    "tokenizer.vocabulary_size": 512,
    "model.embedding_size": 8,
    "model.encoder.hidden_size": 6,
    "model.decoder.hidden_size": 8,
    "question.feature_buckets": 64,
    "engine.name": "torch",
    "responder.name": "retrieval",
}


@pytest.fixture
def faq(tmp_path: Path) -> Path:
    file = tmp_path / "my faq.csv"
    rows = "".join(f"{question},{answer}\n" for question, answer in PAIRS)
    file.write_text("question,answer\n" + rows, encoding="utf-8")
    return file


def test_pairs_become_a_bot_that_answers(registry: Registry) -> None:
    events: list[TrainingEvent | CorpusReport] = []
    bot = train(
        PAIRS,
        name="shop",
        recipe="tiny",
        settings=QUICK,
        on_event=events.append,
        registry=registry,
    )
    assert bot.ask("opening hours").text == "We open at nine."
    assert (bot.name, default_bot()) == ("shop", "shop")
    assert events[0] == CorpusReport("shop", len(PAIRS), 0, 0)
    assert any(isinstance(event, StepReport) for event in events)
    assert isinstance(events[-1], FinishedReport)
    assert bot.recipe.model.embedding_size == 8


def test_a_file_gives_its_name_and_exchanges_and_a_recipe_do_as_well(
    registry: Registry, faq: Path
) -> None:
    recipe = load_recipe("tiny").apply(f"{path}={value}" for path, value in QUICK.items())
    assert train(faq, recipe=recipe, registry=registry).name == "my-faq"
    exchanges = read_corpus([faq], registry=registry)
    assert train(exchanges, name="again", recipe=recipe, registry=registry).name == "again"


def test_a_run_that_is_stopped_is_resumed(registry: Registry) -> None:
    reports: list[TrainingEvent | CorpusReport] = []

    def go_on(**more: bool) -> Bot:
        return train(
            PAIRS,
            name="shop",
            recipe="tiny",
            settings=QUICK | {"training.max_epochs": 2, "training.batch_tokens": 40},
            on_event=reports.append,
            stop=lambda: not more,
            registry=registry,
            **more,
        )

    go_on()
    assert isinstance(stopped := reports[-1], FinishedReport)
    go_on(resume=True)
    assert isinstance(finished := reports[-1], FinishedReport)
    assert (stopped.reason, finished.reason) == ("interrupted", "epochs done")
    assert finished.step > stopped.step


@pytest.mark.parametrize(
    ("pairs", "name", "kind", "told"),
    [
        (PAIRS, None, "training", "needs a name"),
        ([], "shop", "nothing-to-learn", "no exchanges"),
        ([("a", "b"), (" ", "c")], "shop", "corpus-row", "pair 2: the question is empty"),
        (PAIRS, "a b", "bot-name-invalid", "cannot be the name"),
        (["absent.csv"], None, "corpus-not-found", "absent.csv"),
    ],
)
def test_what_cannot_be_learnt_is_told(
    registry: Registry, pairs: list[tuple[str, str]], name: str | None, kind: str, told: str
) -> None:
    with pytest.raises(ChatseqError, match=told) as caught:
        train(pairs, name=name, recipe="tiny", registry=registry)
    assert caught.value.kind == kind


def test_files_and_pairs_are_not_mixed(registry: Registry) -> None:
    with pytest.raises(ValueError, match="files or pairs, not both"):
        train(["a.csv", ("q", "a")], name="x", registry=registry)  # type: ignore[list-item]


def test_a_bot_without_accepted_feedback_has_nothing_to_learn(
    tiny_bot: Path, registry: Registry
) -> None:
    with pytest.raises(ChatseqError, match="is accepted") as caught:
        train(from_history=True, registry=registry)
    assert (caught.value.kind, caught.value.place) == ("nothing-to-learn", "tiny")


def test_a_bot_is_judged_by_name_and_as_it_is(tiny_bot: Path, registry: Registry) -> None:
    progress: list[float] = []
    pairs = [*TAUGHT.items(), ("qqq zzz", "")]
    report = evaluate(
        "tiny", pairs, on_progress=lambda seen: progress.append(seen.done), registry=registry
    )
    assert (report.count, report.exact_match) == (len(pairs), 1.0)
    assert progress == sorted(progress)
    assert progress
    again = evaluate(Bot.load("tiny", registry=registry), pairs, most=2)
    assert again.count == 2


def test_corrections_do_not_change_the_figures(tiny_bot: Path, registry: Registry) -> None:
    bot = Bot.load("tiny", registry=registry)
    with bot.chat(saved=True) as chat:
        chat.ask("hello")
        chat.correct("Something else.")
    assert bot.ask("hello").text == "Something else."
    assert evaluate(bot, TAUGHT.items()).exact_match == 1.0


def test_readers_take_their_settings(registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("Antwort;Frage\nb;a\n", encoding="utf-8")
    settings = {"csv.question": "Frage", "csv.answer": "Antwort"}
    found = list(read_corpus(file, settings=settings, registry=registry))
    assert found == [Exchange("a", "b", source=f"{file}:2")]


@pytest.mark.parametrize("name", NAMES)
def test_the_licence_is_the_first_line_of_a_file_beside_the_corpus(
    tmp_path: Path, faq: Path, name: str
) -> None:
    assert licence_of([faq]) == ""
    (tmp_path / name).write_text("\n# CC-BY-4.0\n\nYou may ...\n", encoding="utf-8")
    assert licence_of([faq, tmp_path / "more.csv"]) == "CC-BY-4.0"
    assert licence_of([faq, "elsewhere/more.csv"]) == "", "two folders, two licences"
    assert licence_of([]) == ""


def test_a_licence_is_stored_shown_and_printed_on_the_card(
    registry: Registry, faq: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (faq.parent / "LICENSE").write_text("CC0-1.0\n", encoding="utf-8")
    quick = [word for path, value in QUICK.items() for word in ("--set", f"{path}={value}")]
    assert run(["train", str(faq), "--quiet", "--recipe", "tiny", *quick]) == 0
    bundle = open_bundle(home / "bots" / "my-faq")
    assert bundle.manifest.licence == "CC0-1.0"
    assert "## Licence\n\nCC0-1.0" in bundle.read_text("card.md")
    assert run(["train", str(faq), "--quiet", "--licence", "mine alone", *quick]) == 0
    shown = CliRunner().invoke(bots, ["show", "my-faq"]).output
    assert "licence    mine alone" in shown
    value = json.loads(CliRunner().invoke(bots, ["show", "my-faq", "--json"]).output)
    assert value["licence"] == "mine alone"


def test_a_bot_that_learns_on_keeps_its_licence(registry: Registry) -> None:
    from chatseq.bots.bundle import bot_folder
    from chatseq.training.accepted import Accepted
    from chatseq.training.warm_start import prepare_warm_start

    train(PAIRS, name="shop", recipe="tiny", settings=QUICK, licence="CC0-1.0", registry=registry)
    taught = [Accepted(Exchange("new", "We open at ten."), corrects=True)]
    assert prepare_warm_start(registry, taught, name="shop").licence == "CC0-1.0"
    assert open_bundle(bot_folder("shop")).manifest.licence == "CC0-1.0"
