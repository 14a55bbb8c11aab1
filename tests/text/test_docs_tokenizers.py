"""docs/tokenizers.md is true: its examples, its figures, its options."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from texts import CORPUS

from chatseq.core.options import build_part, options_of
from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import load_recipe
from chatseq.text.normalise import folded
from chatseq.text.tokenizer import Tokenizer

DOCS = (Path(__file__).parents[2] / "docs" / "tokenizers.md").read_text(encoding="utf-8")
PLUGINS = ("chatseq_subword", "chatseq_words")
NAMES = [name for name, p in discover().parts("tokenizer").items() if p.plugin.name in PLUGINS]
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", DOCS, re.MULTILINE | re.DOTALL))
TABLE = SECTIONS["Which one when"]

Learn = Callable[..., Tokenizer]


def blocks(text: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.fixture
def learn(registry: Registry) -> Learn:
    """Learn a tokenizer from texts by the name that the page gives it."""

    def learn(name: str, questions: list[str], answers: list[str]) -> Tokenizer:
        kind = name.split("+")[0]
        spec = {"name": kind} | ({"chinese": "rjieba"} if "rjieba" in name else {})
        part = build_part(registry, "tokenizer", spec, where="in [tokenizer]")
        learnt: Tokenizer = part.learn(questions, answers)
        return learnt

    return learn


def test_every_tokenizer_of_the_plugins_has_a_section() -> None:
    assert len(NAMES) >= 6
    assert set(NAMES) <= set(SECTIONS)
    assert set(re.findall(r"^\| `([a-z]+)` \| a", TABLE, re.MULTILINE)) == set(NAMES)


@pytest.mark.parametrize("line", blocks(TABLE, "pieces")[0].splitlines())
def test_the_shown_texts_are_cut_as_the_page_says(learn: Learn, line: str) -> None:
    name, shown = line.split(maxsplit=1)
    learnt = learn(name, blocks(TABLE, "text")[0].splitlines(), [])
    found = [
        " ".join(piece.replace(" ", "▁") for piece in learnt.pieces(learnt.encode_answer(text)))
        for text in ("Training bots", "怎么训练？")
    ]
    assert re.split(r" {3,}", shown) == found


@pytest.mark.parametrize("name", NAMES)
def test_the_table_of_a_section_is_a_recipe_with_the_defaults(
    registry: Registry, name: str
) -> None:
    shown = tomllib.loads(blocks(SECTIONS[name], "toml")[0])["tokenizer"]
    component = registry.find("tokenizer", name, where="").load()
    defaults = {option.name: option.default for option in options_of(component).values()}
    assert shown == {"name": name} | defaults
    assert build_part(registry, "tokenizer", shown, where="").learn(CORPUS).encode("a bot")


@pytest.mark.parametrize("name", NAMES)
def test_every_option_is_explained(registry: Registry, name: str) -> None:
    component = registry.find("tokenizer", name, where="").load()
    told = re.sub(r"```toml.*?```", "", SECTIONS[name], flags=re.DOTALL)
    assert [option for option in options_of(component) if f"`{option}`" not in told] == []


def test_the_settings_for_characters_are_those_of_a_recipe(registry: Registry) -> None:
    shown = tomllib.loads(blocks(SECTIONS["character"], "toml")[1])
    settings = []
    for section, table in shown.items():
        settings += [f"{section}.{key}={toml(value)}" for key, value in table.items()]
    assert len(settings) == 5
    load_recipe("faq").apply(settings).check(registry, "the page")


def toml(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    return f'"{value}"' if isinstance(value, str) else str(value)


@pytest.mark.parametrize("setting", sorted(set(re.findall(r"--set (tokenizer\S+)", DOCS))))
def test_every_shown_setting_exists(registry: Registry, setting: str) -> None:
    load_recipe("faq").apply([setting]).check(registry, "the page")


@pytest.mark.slow("learns each tokenizer from a real corpus")
@pytest.mark.parametrize("name", NAMES)
def test_the_figures_are_those_of_the_corpus(learn: Learn, shared_corpora: Path, name: str) -> None:
    file = shared_corpora / "personality_chat" / "qna_chitchat_professional.tsv"
    lines = file.read_text(encoding="utf-8").split("\n")[1:]
    rows = [line.split("\t") for line in lines if line]
    questions, answers = [folded(row[0]) for row in rows], [row[1] for row in rows]
    learnt = learn(name, questions, answers)
    asked = sum(len(learnt.encode(question)) for question in questions) / len(rows)
    answered = sum(len(learnt.encode_answer(answer)) for answer in answers) / len(rows)
    assert f"| `{name}` | {learnt.size:,} | {asked:.1f} | {answered:.1f} |" in TABLE
