"""Every encoder goes with every attention and decoder, or the mix is refused before training.

docs/parts.md is what these tests found. After adding a part, write it anew:

    CHATSEQ_WRITE_DOCS=1 python -m pytest tests/test_mixes.py
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from mixing import NONE, Mix, check, mixes, recipe_of, trained

from chatseq.core.describe import describe
from chatseq.core.errors import PartError
from chatseq.core.plugins import Registry, discover
from chatseq.model.compatibility import check_compatibility

PAGE = Path(__file__).resolve().parents[1] / "docs" / "parts.md"
BUILT_IN = "chatseq_"
KINDS = (
    "encoder", "attention", "decoder", "output", "strategy", "adjuster", "tokenizer",
    "corpus-reader", "responder", "metric",
)  # fmt: skip
FOUND: dict[Mix, str] = {}  # the reason of a refusal, or nothing


@pytest.mark.parametrize("encoder", discover().parts("encoder"))
def test_every_mix_learns_is_written_as_graphs_and_answers(
    registry: Registry, encoder: str, tmp_path: Path
) -> None:
    for mix in mixes(registry, encoder):
        try:
            check(registry, mix, tmp_path)
            FOUND[mix] = ""
        except PartError as refused:
            FOUND[mix] = str(refused)


def test_every_decoder_that_attends_can_copy(registry: Registry, tmp_path: Path) -> None:
    for mix in mixes(registry, "average"):
        copying = mix._replace(output="pointer")
        if mix.attention == NONE or mix.decoder.endswith("-context"):
            with pytest.raises(PartError):
                trained(registry, recipe_of(registry, copying))
        else:
            check(registry, copying, tmp_path)


def test_a_mix_is_refused_before_training_and_for_a_reason(registry: Registry) -> None:
    _needs_the_whole_table(registry)
    refused = {mix: why for mix, why in FOUND.items() if why}
    for decoder in registry.parts("decoder"):
        without = {mix.attention == NONE for mix in refused if mix.decoder == decoder}
        assert len(without) == 1, decoder  # one refuses to do without, another any attention
    for mix in [mix for mix in refused if mix.encoder == "gru"]:
        with pytest.raises(PartError, match=r"\[model\.(decoder|output)\]"):
            check_compatibility(registry, recipe_of(registry, mix))
    assert all("Set model.attention" in why for why in refused.values())


def test_the_page_of_parts_tells_what_was_found(registry: Registry) -> None:
    _needs_the_whole_table(registry)
    page = "\n".join([*_head(), *_listings(registry), *_table(registry)]) + "\n"
    if os.environ.get("CHATSEQ_WRITE_DOCS"):
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "write docs/parts.md anew, as told above"


def _needs_the_whole_table(registry: Registry) -> None:
    tried = {mix.encoder for mix in FOUND}
    if tried != set(registry.parts("encoder")):
        pytest.skip("needs the tests of all encoders in the same run")


def _head() -> Iterator[str]:
    yield "# Parts\n"
    yield "What comes with chatseq. `chatseq plugins show NAME` tells the options of a part."
    yield "This page is written by `tests/test_mixes.py`; change the parts, not the page."


def _listings(registry: Registry) -> Iterator[str]:
    for kind in KINDS:
        parts = [p for p in registry.parts(kind).values() if p.plugin.name.startswith(BUILT_IN)]
        yield f"\n## {kind.replace('-', ' ').capitalize()}s\n"
        yield "| name | plugin | what it does |\n|---|---|---|"
        for part in parts:
            yield f"| `{part.name}` | {part.plugin.name} | {_cell(describe(part).summary)} |"


def _table(registry: Registry) -> Iterator[str]:
    encoders = list(registry.parts("encoder"))
    attentions = [NONE, *registry.parts("attention")]
    strategies = len(registry.parts("strategy"))
    yield "\n## What goes together\n"
    yield f"✓: built with each of the {len(encoders)} encoders ({', '.join(encoders)}), trained for"
    yield "a few steps that lowered the loss, written as graphs which gave what torch gives, and"
    yield f"asked a question by each of the {strategies} strategies. –: refused before training.\n"
    yield f"| decoder | {' | '.join(attentions)} |"
    yield f"|---|{':-:|' * len(attentions)}"
    for decoder in registry.parts("decoder"):
        cells = [
            "–" if any(FOUND[Mix(each, attention, decoder)] for each in encoders) else "✓"
            for attention in attentions
        ]
        yield f"| `{decoder}` | {' | '.join(cells)} |"
    yield "\nWhy, in the words of the decoders:\n"
    for reason in sorted({why.partition("]: ")[2] for why in FOUND.values() if why}):
        yield f"- {reason}"
    yield "\nThe output `pointer` goes with every ✓ but the first column: it copies by attention."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
