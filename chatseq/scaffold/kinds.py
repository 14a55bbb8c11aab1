"""How a part of each kind is used once it is installed."""

from __future__ import annotations

_TRAIN = "chatseq train FILE --set"
_CHAT = "chatseq chat --set"

USES: dict[str, str] = {
    "encoder": f"{_TRAIN} model.encoder.name={{name}}",
    "attention": f"{_TRAIN} model.attention.name={{name}}",
    "decoder": f"{_TRAIN} model.decoder.name={{name}}",
    "output": f"{_TRAIN} model.output.name={{name}}",
    "strategy": "chatseq chat --strategy {name}",
    "adjuster": f"{_CHAT} 'decoding.adjusters=[{{{{name=\"{{name}}\"}}}}]'",
    "text-filter": f"{_TRAIN} 'question.filters=[{{{{name=\"{{name}}\"}}}}]'",
    "tokenizer": f"{_TRAIN} tokenizer.name={{name}}",
    "corpus-reader": "chatseq corpus show FILE --format {name}",
    "responder": f"{_CHAT} responder.name={{name}}",
    "scorer": f'{_TRAIN} \'responder.scorers=["network","linear","nearest","{{name}}"]\'',
    "metric": "chatseq evaluate FILE",
    "command": "chatseq {name} --help",
    "slash-command": "/{name} in a chat",
}


def how_to_use(kind: str, name: str) -> str:
    """Return the command that uses a part."""
    return USES[kind].format(name=name)
