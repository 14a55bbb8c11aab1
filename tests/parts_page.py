"""Write docs/parts.md from what the parts say of themselves and from which of them go together.

    make docs

The tests compare the page with what this gives (tests/test_parts_page.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mixing import NONE, USUAL_OUTPUT, refusals

from chatseq.core.describe import describe
from chatseq.core.plugins import Registry, discover
from chatseq.hookspecs import PART_HOOKS, PROJECT

PAGE = Path(__file__).resolve().parents[1] / "docs" / "parts.md"
TOLD_ELSEWHERE = {"command", "slash-command"}  # by --help and /help


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page_of(built_in(discover())), encoding="utf-8")


def built_in(registry: Registry) -> Registry:
    """Return only the plugins that come with chatseq."""
    found = Registry()
    for plugin in registry.plugins:
        if plugin.origin == PROJECT:
            found.add(plugin)
    return found


def page_of(registry: Registry) -> str:
    """Return the text of the page."""
    return "\n".join([*_head(), *_listings(registry), *_table(registry)]) + "\n"


def _head() -> Iterator[str]:
    yield "# Parts\n"
    yield "What comes with chatseq. `chatseq plugins show NAME` tells the options of a part."
    yield "This page is written by `make docs`; change the parts, not the page."


def _listings(registry: Registry) -> Iterator[str]:
    for kind in PART_HOOKS:
        if kind in TOLD_ELSEWHERE:
            continue
        yield f"\n## {_plural(kind.replace('-', ' ')).capitalize()}\n"
        yield "| name | plugin | what it does |\n|---|---|---|"
        for part in registry.parts(kind).values():
            yield f"| `{part.name}` | {part.plugin.name} | {_cell(describe(part).summary)} |"


def _plural(name: str) -> str:
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


def _table(registry: Registry) -> Iterator[str]:
    encoders = list(registry.parts("encoder"))
    attentions = [NONE, *registry.parts("attention")]
    strategies = len(registry.parts("strategy"))
    found = refusals(registry)
    refused = {
        (m.decoder, m.attention): why for m, why in found.items() if m.output == USUAL_OUTPUT
    }
    yield "\n## What goes together\n"
    yield f"✓: built with each of the {len(encoders)} encoders ({', '.join(encoders)}), trained for"
    yield "a few steps that lowered the loss, written as graphs which gave what torch gives, and"
    yield f"asked a question by each of the {strategies} strategies. –: refused before training."
    yield "`make test-all` tries every one of these mixes, `make test` every pair of parts.\n"
    yield f"| decoder | {' | '.join(attentions)} |"
    yield f"|---|{':-:|' * len(attentions)}"
    for decoder in registry.parts("decoder"):
        cells = ["–" if refused[decoder, attention] else "✓" for attention in attentions]
        yield f"| `{decoder}` | {' | '.join(cells)} |"
    yield "\nWhy, in the words of the decoders:\n"
    for reason in sorted({why.partition("]: ")[2] for why in refused.values() if why}):
        yield f"- {reason}"
    yield "\nThe output `pointer` goes with every ✓ but the first column: it copies by attention."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
