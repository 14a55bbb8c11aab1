"""Write the line numbers and the shapes of docs/textbook.md anew.

    make docs

The tests compare the page with what this gives (tests/test_textbook.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from chatseq.core.plugins import Registry, discover
from chatseq.core.recipe import load_recipe
from chatseq.engines.torch_engine import TorchEngine
from chatseq.model.batch import Batch
from chatseq.model.build import join_parts
from chatseq.text.tokenizer import FIRST_FREE_ID

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "textbook.md"
VOCABULARY = 4000
# Sizes that no width of a recipe has: so a size tells which axis it is.
BATCH, SOURCE, TARGET = 3, 7, 5
AXES = {BATCH: "batch", SOURCE: "source", TARGET: "target", BATCH * TARGET: "positions"}
# Of one step of answering, the target is one token and every row is a source's only one.

_CITED = re.compile(r"`([\w/]+\.py):(\d+)` \| `([^`]+)` \|$")
_SHAPES = re.compile(r"<!-- shapes: (\w+) -->\n(?:\n?\|.*\n)*")
_EMBEDDED = ("embedding", "embedded question")
_MEMORY = ("encoder", "memory")
_RECURRENT = [
    _EMBEDDED,
    ("encoder.forwards.0", "encoder, first layer, forwards, with its last state"),
    _MEMORY,
    ("decoder.bridge", "first state of the decoder's layers"),
]
_ONE_STEP = ("decoder.attention", "attention, at each step")
_WHOLE = ("decoder.attention", "attention, all steps")
MODULES: dict[str, Sequence[tuple[str, str]]] = {
    "textbook": _RECURRENT,
    "luong": [*_RECURRENT, _ONE_STEP],
    "bahdanau": [*_RECURRENT, _ONE_STEP],
    "transformer": [
        _EMBEDDED,
        ("encoder.layers.0.attention", "encoder, self-attention"),
        ("encoder.layers.0.feed_forward", "encoder, feed-forward network"),
        _MEMORY,
        ("decoder.layers.0.self_attention", "decoder, self-attention, with keys and values"),
        ("decoder.layers.0.attention", "attention to the question, first layer"),
    ],
    "pointer": [*_RECURRENT, _WHOLE],
}


class CitationError(ValueError):
    """A line of the page that no line of the code answers to."""


def main() -> None:
    """Write the page anew."""
    PAGE.write_text(page_of(PAGE.read_text(encoding="utf-8"), discover()), encoding="utf-8")


def page_of(text: str, registry: Registry) -> str:
    """Return the page with the line numbers and shapes that hold now.

    Raises:
        CitationError: a fragment stands in no line of its file, or in several.
    """
    lines = [_CITED.sub(_numbered, line) for line in text.splitlines()]
    return _SHAPES.sub(lambda m: _table(m.group(1), registry), "\n".join(lines) + "\n")


def cited(text: str) -> list[tuple[str, int, str]]:
    """Return each file, line and fragment that a page names."""
    found = (_CITED.search(line) for line in text.splitlines())
    return [(m.group(1), int(m.group(2)), m.group(3)) for m in found if m]


def line_of(file: str, fragment: str) -> int:
    """Return the number of the line that begins with a fragment, or holds it, indented or not.

    Raises:
        CitationError: none does, or several do.
    """
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    exact = [number for number, line in enumerate(lines, 1) if line.startswith(fragment)]
    found = exact or [number for number, line in enumerate(lines, 1) if fragment in line]
    if len({lines[number - 1].strip() for number in found}) != 1:
        raise CitationError(f"{file}: {len(found)} lines hold {fragment!r}; one must.")
    return found[0]


def _numbered(match: re.Match[str]) -> str:
    file, _, fragment = match.groups()
    return f"`{file}:{line_of(file, fragment)}` | `{fragment}` |"


def _table(name: str, registry: Registry) -> str:
    rows = "\n".join(f"| {what} | {shapes} |" for what, shapes in shapes_of(name, registry))
    return f"<!-- shapes: {name} -->\n\n| tensor | shape |\n|---|---|\n{rows}\n"


def shapes_of(name: str, registry: Registry) -> Iterator[tuple[str, str]]:
    """Yield the tensors of one step of learning and one of answering, with their shapes."""
    recipe = load_recipe(name)
    torch.manual_seed(0)
    model = join_parts(registry, recipe, VOCABULARY)
    features = recipe.question.features
    batch = _batch(features)
    watched = [*MODULES[name], ("decoder", "decoder, whole answer")]
    seen: dict[str, str] = {}
    hooks = [
        model.get_submodule(path).register_forward_hook(_noting(seen, path)) for path, _ in watched
    ]
    model.loss(batch)
    for hook in hooks:
        hook.remove()
    yield "question ids, mask", _shape(batch.question_ids)
    if features:
        yield "question features", _shape(batch.question_features)
    for path, what in watched:
        yield what, seen[path]
    engine = TorchEngine(model)
    encoded = engine.encode(batch.question_ids, batch.question_mask, batch.question_features)
    yield "kept of the question", _named(encoded.memory)
    yield "state before the first token", _named(encoded.state)
    step = engine.step(torch.full((BATCH,), FIRST_FREE_ID), encoded.state, encoded.memory)
    yield "log-probabilities of the next token", _shape(step.log_probs)


def _batch(features: int) -> Batch:
    asked = torch.randint(FIRST_FREE_ID, VOCABULARY, (BATCH, SOURCE))
    answer = torch.randint(FIRST_FREE_ID, VOCABULARY, (BATCH, TARGET))
    words = torch.zeros(BATCH, SOURCE, features, dtype=torch.long) if features else None
    return Batch(
        asked, torch.ones_like(asked).bool(), words, answer, torch.ones_like(answer).bool()
    )


def _noting(seen: dict[str, str], path: str) -> Any:
    def note(module: nn.Module, given: object, output: object) -> None:
        seen.setdefault(path, _named(output))

    return note


def _named(value: Any) -> str:
    """Return the shapes within a value: those of a named tuple by their names."""
    if isinstance(value, Tensor):
        return _shape(value)
    if hasattr(value, "_fields"):
        parts = zip(value._fields, value, strict=True)
        return ", ".join(f"{name} {_named(part)}" for name, part in parts if _named(part))
    return _without_repeats([shapes for part in value if (shapes := _named(part))])


def _without_repeats(shapes: list[str]) -> str:
    """Join shapes; what comes again for each layer stands once, with its number."""
    for size in range(1, len(shapes) // 2 + 1):
        count, rest = divmod(len(shapes), size)
        if not rest and shapes == shapes[:size] * count:
            return f"{count} times {' and '.join(shapes[:size])}"
    return ", ".join(shapes)


def _shape(tensor: Tensor) -> str:
    return f"({', '.join(AXES.get(size, str(size)) for size in tensor.shape)})"


if __name__ == "__main__":
    main()
