"""What all tests share: a home each, the installed plugins, the real corpora, a small bot."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selection import refuse_without_a_reason
from sharing import made_once

from chatseq.core.plugins import Registry, discover

SHARED = Path(__file__).resolve().parents[2] / "shared" / "corpora"

if "PYTEST_XDIST_WORKER" in os.environ:  # the threads of several workers would only get in each
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # other's way; torch reads this at its import


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Look at every test before those that are not wanted are left out."""
    refuse_without_a_reason(items)


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Names of new folders; pytest's own numbered ones are looked for among all others."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def home(homes: Iterator[Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test keeps its files in a folder of its own."""
    folder = next(homes)
    folder.mkdir(mode=0o700)
    monkeypatch.setenv("CHATSEQ_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The installed plugins."""
    return discover()


@pytest.fixture(scope="session")
def shared_corpora() -> Path:
    """The real corpora, which lie beside the project and are not part of it."""
    if not SHARED.is_dir():
        pytest.skip("the folder ../shared/corpora is not beside the project")
    return SHARED


TAUGHT = {
    "hello": "Hello there, how can I help?",
    "who are you": "I am a very small bot made for tests.",
    "你好": "你好，有什么可以帮您？",
    "bye": "Goodbye and good luck.",
}


@pytest.fixture(scope="session")
def trained_tiny_bot(tmp_path_factory: pytest.TempPathFactory, registry: Registry) -> Path:
    """The folder of a bot that has learnt the four answers of TAUGHT by heart."""
    home = made_once(tmp_path_factory, "taught-tiny", lambda home: _train_tiny(home, registry))
    return home / "bots" / "tiny"


def _train_tiny(home: Path, registry: Registry) -> None:
    from chatseq.core.exchange import Exchange
    from chatseq.core.recipe import load_recipe
    from chatseq.training.job import prepare
    from chatseq.training.run import train

    sizes = ("model.embedding_size", "model.encoder.hidden_size", "model.decoder.hidden_size")
    recipe = load_recipe("tiny").apply(
        [
            *(f"{size}=32" for size in sizes),
            "model.dropout=0.0",
            "question.feature_buckets=256",
            "tokenizer.vocabulary_size=512",
            "training.batch_tokens=128",
            "training.label_smoothing=0.0",
            "training.learning_rate=0.01",
            "training.max_epochs=30",
            "training.min_steps=0",
            "training.word_dropout=0.0",
            "training.validations=1",
        ]
    )
    exchanges = [Exchange(question, answer) for question, answer in TAUGHT.items()] * 9
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CHATSEQ_HOME", str(home))
        for _ in train(prepare(registry, exchanges, recipe, name="tiny")):
            pass


@pytest.fixture
def tiny_bot(home: Path, trained_tiny_bot: Path) -> Path:
    """A bot named 'tiny' in the home of this test; it knows the answers of TAUGHT."""
    folder = home / "bots" / "tiny"
    folder.parent.mkdir(mode=0o700)
    shutil.copytree(trained_tiny_bot, folder)
    return folder
