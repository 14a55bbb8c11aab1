"""A run that begins with word vectors from a file: told, kept in the weights, not read again."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from chatseq.bots.bundle import bot_folder, open_bundle
from chatseq.bots.loader import load_bot
from chatseq.core.errors import TrainingError
from chatseq.core.events import Remark, StepReport
from chatseq.training.dry_run import dry_run
from chatseq.training.initial_weights import build_initial_model, load_initial_weights
from chatseq.training.job import Job
from chatseq.training.run import train

from .conftest import MakeJob
from .test_kill import finish, weights

WORDS = ("train", "stop", "name", "please", "tell", "about", "what", "again", "can", "ask")
WORD = "tokenizer={name='word'}"


@pytest.fixture
def vectors(tmp_path: Path) -> Path:
    """Ten words in the form of GloVe, eight numbers each, and a line that is none."""
    file = tmp_path / "secret folder" / "glove.txt"
    file.parent.mkdir()
    lines = [f"{word} " + " ".join(f"{at + 1}.{n}" for n in range(8)) + "\n"
             for at, word in enumerate(WORDS)]  # fmt: skip
    file.write_text("".join(lines) + "how 1.0 2.0\n", encoding="utf-8")
    return file


@pytest.fixture
def job(make_job: MakeJob, vectors: Path) -> Job:
    return make_job(WORD, f"model.pretrained={vectors}")


def test_embeddings_begin_with_the_vectors_and_the_rest_as_the_seed_says(job: Job) -> None:
    plain, model = build_initial_model(job), build_initial_model(job)
    (told, bad) = load_initial_weights(job, model)
    assert told.endswith(f" of {job.tokenizer.size} tokens begin with a vector of glove.txt.")
    assert bad.startswith("1 lines of it were passed over: ")
    (changed,) = (model.embedding.weight != plain.embedding.weight).any(1).nonzero(as_tuple=True)
    assert len(changed) == int(told.split()[0]) > 0
    assert {job.tokenizer.pieces([at])[0].strip() for at in changed.tolist()} <= set(WORDS)
    others = [name for name, _ in model.named_parameters() if name != "embedding.weight"]
    found, before = model.state_dict(), plain.state_dict()
    assert all(torch.equal(found[name], before[name]) for name in others)


def test_a_run_tells_the_coverage_before_its_first_step(job: Job) -> None:
    events = list(train(job))
    first_step = next(at for at, event in enumerate(events) if isinstance(event, StepReport))
    told = [event.text for event in events[:first_step] if isinstance(event, Remark)]
    assert any("tokens begin with a vector of glove.txt." in text for text in told)


def test_the_average_of_weights_begins_with_them_too(make_job: MakeJob, vectors: Path) -> None:
    still = ("training.learning_rate=1e-12", "training.ema=0.9", "training.max_epochs=1")
    job = make_job(WORD, f"model.pretrained={vectors}", *still)
    finish(job)
    model = build_initial_model(job)
    list(load_initial_weights(job, model))
    stored = load_file(open_bundle(bot_folder("faq")).weights)["embedding.weight"]
    torch.testing.assert_close(stored, model.embedding.weight.detach(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_the_bot_never_needs_the_file_again(make_job: MakeJob, vectors: Path, engine: str) -> None:
    given = (f"engine.name={engine}", "training.max_epochs=1")
    job = make_job(WORD, f"model.pretrained={vectors}", *given)
    finish(job)
    vectors.unlink()
    bot = load_bot(job.registry, "faq")
    assert bot.responder.reply("train").bot == "faq"
    assert bot.recipe.model.pretrained == "glove.txt"


def test_the_folder_of_the_file_is_not_stored(job: Job) -> None:
    finish(job)
    stored = [path for path in bot_folder("faq").rglob("*") if path.is_file()]
    assert len(stored) >= 6
    for path in stored:
        assert b"secret folder" not in path.read_bytes(), path.name


@pytest.mark.slow("trains a bot twice; tests/training/test_run.py does so in the fast run")
def test_a_run_that_goes_on_needs_the_file_no_more(make_job: MakeJob, vectors: Path) -> None:
    settings = (WORD, f"model.pretrained={vectors}")
    finish(make_job(*settings, name="whole"))
    asked = iter([False, True] + [True] * 9)
    list(train(make_job(*settings), stop=lambda: next(asked)))
    vectors.unlink()
    rest = list(train(make_job(*settings), resume=True))
    assert not any("begin with" in event.text for event in rest if isinstance(event, Remark))
    assert weights("faq") == weights("whole")


def test_a_file_that_is_not_there_stops_the_run_before_its_first_step(make_job: MakeJob) -> None:
    job = make_job("model.pretrained=absent.txt")
    events = []
    with pytest.raises(TrainingError, match=r"absent\.txt"):
        events.extend(train(job))
    assert events == []
    with pytest.raises(TrainingError, match=r"absent\.txt"):
        dry_run(job)


def test_a_dry_run_tells_the_coverage(job: Job) -> None:
    assert "begin with a vector of glove.txt." in dry_run(job).remarks[0]
