"""For pytest: a part's checks as tests, and what such tests need. Found by pytest by itself.

It is imported in every run of pytest where chatseq is installed, so it imports nothing until a
test asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from chatseq.core.exchange import Exchange
    from chatseq.core.plugins import Registry
    from chatseq.core.recipe import Recipe
    from chatseq.testing.check import Check, Outcome
    from chatseq.testing.subject import WriteFile


def contract_tests(
    kind: str,
    component: Callable[..., Any],
    *,
    name: str = "",
    options: Mapping[str, Sequence[Any]] | None = None,
    file: WriteFile | None = None,
) -> Callable[[Check], None]:
    """Return a test of a part, to be kept under a name that begins with `test_`.

    pytest runs and tells it once for each check of the kind.

    Args:
        component: the class, function or command, as a plugin names it
        name: its name in the plugin, to see whether that is free
        options: values to try for its options, the first of them also while others are tried
        file: of a corpus reader, from pairs to a file name and its text in that format
    """
    from chatseq.testing.run import checks_for, outcome_of, subject_of

    subject = subject_of(kind, component, name=name, options=options, file=file)

    @pytest.mark.parametrize("check", [pytest.param(c, id=id_of(c)) for c in checks_for(kind)])
    def test_contract(check: Check) -> None:
        settle(outcome_of(check, subject))

    return test_contract


def id_of(check: Check) -> str:
    """Return the name of a check as pytest's command line takes it without quotes."""
    return check.name.replace(" ", "-")


def settle(outcome: Outcome) -> None:
    """Fail or skip the running test as the outcome says."""
    __tracebackhide__ = True
    if outcome.result == "not applicable":
        pytest.skip(outcome.reason)
    if outcome.result == "broken":
        raise AssertionError(f"{outcome.check.proves}: {outcome.reason}") from outcome.fault


@pytest.fixture(scope="session")
def chatseq_registry() -> Registry:
    """The parts that come with chatseq, without those of other installed plugins."""
    from chatseq.testing.registry import builtin_registry

    return builtin_registry()


@pytest.fixture(scope="session")
def chatseq_recipe() -> Recipe:
    """A recipe so small that a bot is trained in seconds."""
    from chatseq.core.recipe import load_recipe

    return load_recipe("tiny").apply(
        [
            "tokenizer.vocabulary_size=512",
            "question.feature_buckets=256",
            "model.dropout=0.0",
            "model.embedding_size=32",
            "model.encoder.hidden_size=16",
            "model.decoder.hidden_size=32",
            "training.label_smoothing=0.0",
            "training.batch_tokens=128",
            "training.learning_rate=0.01",
            "training.word_dropout=0.0",
            "training.max_epochs=5",
            "training.min_steps=0",
            "training.validations=1",
        ]
    )


@pytest.fixture
def chatseq_corpus() -> list[Exchange]:
    """A corpus of a few questions, one of them Chinese and one to be declined."""
    from chatseq.core.exchange import Exchange

    pairs = {
        "hello": "Hello there, how can I help?",
        "who are you": "I am a very small bot made for tests.",
        "你好": "你好，有什么可以帮您？",
        "what is my password": "",
        "bye": "Goodbye and good luck.",
    }
    return [
        Exchange(question, answer, source=f"small.tsv:{line}")
        for line, (question, answer) in enumerate(pairs.items(), 1)
    ]
