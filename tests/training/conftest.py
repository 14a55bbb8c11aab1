"""A job so small that training on it takes a second, and one thread, so that a test may fork."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from sharing import made_once

from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe, load_recipe
from chatseq.training.job import Job, prepare
from chatseq.training.run import train

MakeJob = Callable[..., Job]

ANSWERS = {
    "train": "Type chatseq train and the name of your file.",
    "stop": "Press Ctrl-C; the bot is stored.",
    "name": "My name is chatseq.",
    "中文": "可以，直接用中文问我。",
}
WORDINGS = ("how do I {}", "tell me about {}", "what of {}?", "{} please", "{}", "I ask for {}",
            "can you {}", "say {} again", "{} now", "and {}")  # fmt: skip
SMALL = (
    "tokenizer.vocabulary_size=512",
    "model.embedding_size=8",
    "model.encoder.hidden_size=6",
    "model.decoder.hidden_size=8",
    "model.decoder.layers=1",
    "model.encoder.layers=1",
    "question.features=4",
    "question.feature_buckets=64",
    "training.batch_tokens=80",
    "training.max_epochs=3",
    "training.min_steps=0",
    "training.validations=3",
    "training.word_dropout=0.1",
    "training.subword_dropout=0.1",
    "decoding.max_length=8",
    "engine.name=torch",
)


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def exchanges() -> list[Exchange]:
    return [
        Exchange(wording.format(topic), answer, source=f"corpora/faq.csv:{at}")
        for at, (topic, answer) in enumerate(ANSWERS.items())
        for wording in WORDINGS
    ]


def small_recipe(*settings: str) -> Recipe:
    return load_recipe("tiny").apply([*SMALL, *settings])


@pytest.fixture
def make_job(registry: Registry) -> MakeJob:
    def make(*settings: str, name: str = "faq", rows: list[Exchange] | None = None) -> Job:
        return prepare(registry, rows or exchanges(), small_recipe(*settings), name=name)

    return make


@pytest.fixture
def job(make_job: MakeJob) -> Job:
    return make_job()


LEARNS = (
    "model.embedding_size=16",
    "model.encoder.hidden_size=16",
    "model.decoder.hidden_size=16",
    "model.dropout=0.0",
    "training.learning_rate=0.03",
    "training.max_epochs=20",
    "training.validations=1",
    "decoding.max_length=24",
    "responder.name=seq2seq",
)


@pytest.fixture(scope="session")
def taught_faq(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """The folder of a bot that has learnt what `exchanges` says."""

    def teach(home: Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("CHATSEQ_HOME", str(home))
            for _ in train(prepare(registry, exchanges(), small_recipe(*LEARNS), name="faq")):
                pass

    return made_once(tmp_path_factory, "taught-faq", teach) / "bots" / "faq"


@pytest.fixture
def faq_bot(home: Path, taught_faq: Path) -> Path:
    """A bot named 'faq' in the home of this test that may learn on."""
    folder = home / "bots" / "faq"
    folder.parent.mkdir(mode=0o700)
    shutil.copytree(taught_faq, folder)
    return folder
