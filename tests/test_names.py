"""The field's words stay: no private name comes back, and one thing has one name."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [path for top in ("chatseq", "plugins") for path in sorted((ROOT / top).rglob("*.py"))]
PAGES = [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
# What these are called: docs/glossary.md. Words of the language that had a second meaning are left.
OLD = re.compile(
    r"\b(?:witness(?:es)?|testimony|forerunner|lessons?|drills?|closed[- ]book|shel(?:f|ved)|urged"
    r"|Stepped|Judgement|OwnTokens|QuestionReader|with_a_way_out|without_marks|keep_as_best"
    r"|take_pretrained|epoch_batches|AtOnce|Retold|Ledger)\b"
)
# The same thing twice: of the network and of an engine, of a program and of the core.
SHARED = {"Encoded", "StepOutput", "Bot"}


def test_no_old_word_is_left() -> None:
    left = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in [*SOURCES, *PAGES]
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if OLD.search(line)
    ]
    assert left == []


def test_no_two_public_classes_of_the_core_have_one_name() -> None:
    places = defaultdict(list)
    for path in (ROOT / "chatseq").rglob("*.py"):
        if "templates" in path.parts:
            continue
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places[node.name].append(str(path.relative_to(ROOT)))
    several = {name: found for name, found in places.items() if len(found) > 1}
    assert {name: found for name, found in several.items() if name not in SHARED} == {}
