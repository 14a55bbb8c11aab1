"""The kit inside pytest: one line a check, fixtures, and nothing for those who do not use it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from chatseq.core.exchange import Exchange
from chatseq.core.plugins import Registry
from chatseq.core.recipe import Recipe
from chatseq.testing import checks_for

HONEST = """
from chatseq.testing import contract_tests

class ReplyLength:
    '''The characters of all replies.'''

    def __init__(self):
        self.characters = 0

    def add(self, judged):
        self.characters += sum(len(one.said) for one in judged)

    def merge(self, other):
        self.characters += other.characters

    def figures(self):
        return {"characters": self.characters}

test_contract = contract_tests("metric", ReplyLength)
"""


def pytest_of(folder: Path, text: str, *arguments: str) -> tuple[int, str]:
    """Run pytest on one file in a process of its own, as another package would."""
    (folder / "test_part.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout


def test_each_check_is_a_test_of_its_own(tmp_path: Path) -> None:
    code, out = pytest_of(tmp_path, HONEST, "-v")
    assert code == 0
    for check in checks_for("metric"):
        assert f"test_contract[{check.name.replace(' ', '-')}]" in out
    count = len(checks_for("metric"))
    assert f"{count - 1} passed, 1 skipped" in out
    assert re.search(r"SKIPPED .* no name was given", out)


@pytest.mark.slow("runs pytest in a process of its own, as others do")
def test_a_broken_check_fails_with_its_reason_and_where_it_was_raised(tmp_path: Path) -> None:
    wrong = HONEST.replace('return {"characters": self.characters}', "return 1 / 0")
    code, out = pytest_of(tmp_path, wrong, "-k", "finite")
    assert code == 1
    assert "Every figure has a name and is a finite number" in out
    assert "ZeroDivisionError: division by zero" in out
    assert "return 1 / 0" in out
    assert "1 failed" in out


@pytest.mark.slow("runs pytest in a process of its own, as others do")
def test_a_name_and_values_can_be_given(tmp_path: Path) -> None:
    named = HONEST.replace("ReplyLength)", "ReplyLength, name='bleu')")
    code, out = pytest_of(tmp_path, named)
    assert code == 1
    assert "the metric 'bleu' is also provided by plugin chatseq_metrics" in out


@pytest.mark.slow("runs pytest in a process of its own, as others do")
def test_those_who_merely_have_chatseq_installed_pay_nothing(tmp_path: Path) -> None:
    text = """
import sys

def test_nothing_was_imported():
    heavy = {"torch", "numpy", "pydantic", "click", "rich", "sqlalchemy", "onnxruntime"}
    assert not heavy & set(sys.modules)
    mine = {name for name in sys.modules if name.startswith("chatseq")}
    assert mine == {"chatseq", "chatseq.testing", "chatseq.testing.pytest_plugin"}
"""
    code, out = pytest_of(tmp_path, text)
    assert code == 0, out


def test_the_fixtures_can_be_asked_for(
    chatseq_registry: Registry, chatseq_recipe: Recipe, chatseq_corpus: list[Exchange]
) -> None:
    assert {plugin.origin for plugin in chatseq_registry.plugins} == {"chatseq"}
    assert "gru" in chatseq_registry.parts("encoder")
    assert any(not exchange.answer for exchange in chatseq_corpus)
    chatseq_recipe.check(chatseq_registry, "the fixture")


@pytest.mark.slow("trains a bot")
def test_a_bot_is_trained_from_the_fixtures_in_seconds(
    chatseq_registry: Registry, chatseq_recipe: Recipe, chatseq_corpus: list[Exchange]
) -> None:
    from chatseq.bots.loader import load_bot
    from chatseq.training.job import prepare
    from chatseq.training.run import train

    for _ in train(prepare(chatseq_registry, chatseq_corpus * 4, chatseq_recipe, name="small")):
        pass
    assert load_bot(chatseq_registry, "small").responder.reply("hello").text
