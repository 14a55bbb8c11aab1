"""For tests of plugins: checks that prove a part right, and fakes that stand in for a trained bot.

    from chatseq.testing import contract_tests

    test_contract = contract_tests("attention", MyAttention)

See docs/testing-plugins.md. Names are imported when they are asked for: this needs neither torch
nor a file, and fakes say the same on every run.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatseq.testing.bots import babbling_bot, teach, teach_scorer
    from chatseq.testing.check import Check, Context, NotApplicable, Outcome, Result
    from chatseq.testing.engines import RandomEngine, ScriptedEngine, questions_of, saying
    from chatseq.testing.pytest_plugin import contract_tests
    from chatseq.testing.registry import builtin_registry
    from chatseq.testing.responders import ScriptedResponder, ScriptedStream
    from chatseq.testing.run import broken, check_part, checks_for
    from chatseq.testing.tokenizers import LetterTokenizer

__all__ = [
    "Check",
    "Context",
    "LetterTokenizer",
    "NotApplicable",
    "Outcome",
    "RandomEngine",
    "Result",
    "ScriptedEngine",
    "ScriptedResponder",
    "ScriptedStream",
    "babbling_bot",
    "broken",
    "builtin_registry",
    "check_part",
    "checks_for",
    "contract_tests",
    "questions_of",
    "saying",
    "teach",
    "teach_scorer",
]

_HOMES = {
    "bots": ("babbling_bot", "teach", "teach_scorer"),
    "check": ("Check", "Context", "NotApplicable", "Outcome", "Result"),
    "engines": ("RandomEngine", "ScriptedEngine", "questions_of", "saying"),
    "pytest_plugin": ("contract_tests",),
    "registry": ("builtin_registry",),
    "responders": ("ScriptedResponder", "ScriptedStream"),
    "run": ("broken", "check_part", "checks_for"),
    "tokenizers": ("LetterTokenizer",),
}


def __getattr__(name: str) -> object:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"chatseq.testing.{module}"), name)
    raise AttributeError(f"module 'chatseq.testing' has no attribute '{name}'")
