"""docs/parts.md is what the parts say of themselves; a new part gets into it without a hand."""

from __future__ import annotations

from types import SimpleNamespace

from parts_page import PAGE, built_in, page_of

from chatseq.core.plugins import Plugin, Registry, discover
from chatseq.hookspecs import PART_HOOKS, PROJECT, hookimpl
from chatseq_attention.multiplicative import GeneralAttention


class ShyAttention(GeneralAttention):
    """Score as "general" does | and look away (Nobody et al. 2030)."""


def registry_with_one_more(origin: str) -> Registry:
    registry = discover()
    module = SimpleNamespace(chatseq_attentions=hookimpl(lambda: {"shy": ShyAttention}))
    registry.add(Plugin("chatseq_shy", module, origin=origin))
    assert registry.faults == []
    return registry


def test_the_page_is_what_the_parts_say(registry: Registry) -> None:
    told = PAGE.read_text(encoding="utf-8")
    assert told == page_of(built_in(registry)), "docs/parts.md is not up to date. Run: make docs"


def test_a_built_in_part_gets_a_line_and_a_column_by_itself() -> None:
    page = page_of(built_in(registry_with_one_more(PROJECT)))
    line = (
        '| `shy` | chatseq_shy | Score as "general" does \\| and look away (Nobody et al. 2030) |'
    )
    assert line in page.splitlines()
    head = next(line for line in page.splitlines() if line.startswith("| decoder |"))
    rows = [line for line in page.splitlines() if line.endswith((" ✓ |", " – |"))]
    assert head.endswith(" | shy |")
    assert {row.count(" | ") for row in rows} == {head.count(" | ")}


def test_a_plugin_of_somebody_else_changes_nothing(registry: Registry) -> None:
    more = built_in(registry_with_one_more("somebody-else"))
    for kind in PART_HOOKS:
        assert list(more.parts(kind)) == list(built_in(registry).parts(kind))
