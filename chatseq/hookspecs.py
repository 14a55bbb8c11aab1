"""Every extension point of chatseq, on one page.

A plugin is a module (or an object) with functions of these names, marked with `hookimpl`:

    from chatseq.hookspecs import hookimpl

    @hookimpl
    def chatseq_attentions():
        return {"scaled-dot": "my_package.scaled:ScaledDotAttention"}

Hooks choose and build; objects run. Every hook that names parts returns `{name: reference}`. A
reference is a class or another callable, or the string "package.module:Name" of one, which is
imported only when the part is built. A plugin's own module must import nothing heavy, since it is
loaded for every command.

The positional arguments of a part's constructor are handed over by chatseq (sizes, mostly); its
keyword-only arguments are its options, which a recipe or `--set` may give.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pathlib import Path

    from chatseq.core.events import TrainingEvent

PROJECT = "chatseq"
# Of all contracts together. It grows when a plugin that was right may no longer be; docs/api.md.
CONTRACTS_VERSION = 1
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)

Reference = str | Callable[..., Any]

# The kind of a part, as people write it, and the hook that brings it.
PART_HOOKS: dict[str, str] = {
    "encoder": "chatseq_encoders",
    "attention": "chatseq_attentions",
    "decoder": "chatseq_decoders",
    "output": "chatseq_outputs",
    "strategy": "chatseq_strategies",
    "adjuster": "chatseq_adjusters",
    "text-filter": "chatseq_text_filters",
    "tokenizer": "chatseq_tokenizers",
    "corpus-reader": "chatseq_corpus_readers",
    "responder": "chatseq_responders",
    "scorer": "chatseq_scorers",
    "metric": "chatseq_metrics",
    "command": "chatseq_commands",
    "slash-command": "chatseq_slash_commands",
}


@hookspec
def chatseq_encoders() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the encoders: modules that turn an embedded question into a memory.

    A reference builds `(input_size, *, options) -> chatseq.model.contracts.Encoder`.
    """


@hookspec
def chatseq_attentions() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the attentions: modules that score each memory vector against a query.

    A reference builds `(query_size, memory_size, *, options) -> chatseq.model.contracts.Attention`.
    """


@hookspec
def chatseq_decoders() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the decoders: modules that turn a memory and the tokens so far into the next state.

    A reference builds
    `(input_size, memory_size, make_attention, *, options) -> chatseq.model.contracts.Decoder`.
    """


@hookspec
def chatseq_outputs() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the output layers: modules that turn a decoder's vectors into probabilities of tokens.

    A reference builds
    `(hidden_size, embedding_size, attends, *, options) -> chatseq.model.contracts.Output`, where
    `attends` tells whether the decoder has attention weights.
    """


@hookspec
def chatseq_strategies() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the decoding strategies: which tokens follow from the scores.

    A reference builds `(*, options) -> chatseq.decoding.contracts.Strategy`. It sees arrays only.
    """


@hookspec
def chatseq_adjusters() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the adjusters: changes to the scores in front of any strategy.

    A reference builds `(*, options) -> chatseq.decoding.contracts.Adjuster`.
    """


@hookspec
def chatseq_text_filters() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the text filters: what changes a question before anything reads or learns it.

    A reference builds `(*, options) -> chatseq.text.contracts.TextFilter`.
    """


@hookspec
def chatseq_tokenizers() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the tokenizers: text to ids and back, learnt from a corpus.

    A reference builds `(*, options) -> chatseq.text.tokenizer.TokenizerPart`.
    """


@hookspec
def chatseq_corpus_readers() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the corpus readers: a file format to exchanges.

    A reference builds `(*, options) -> chatseq.corpus.contracts.CorpusReader`.
    """


@hookspec
def chatseq_responders() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the responders: a question and its context to a reply.

    A reference builds `(bot, *, options) -> chatseq.bots.responder.Responder`.
    """


@hookspec
def chatseq_scorers() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the scorers: how well each known answer fits a question.

    A reference builds `(*, options) -> chatseq.bots.contracts.Scorer`.
    """


@hookspec
def chatseq_metrics() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name the metrics: figures over many replies.

    A reference builds `(*, options) -> chatseq.evaluation.contracts.Metric`.
    """


@hookspec
def chatseq_commands() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name further commands of the command line. A reference is a `click.Command`."""


@hookspec
def chatseq_slash_commands() -> Mapping[str, Reference]:  # type: ignore[empty-body]
    """Name further commands of the chat, without the slash.

    A reference is a `chatseq.repl.commands.SlashCommand`.
    """


@hookspec
def chatseq_training_event(event: TrainingEvent, run: Path) -> None:
    """Told of each report of a training run, in order; its failure never stops the run.

    Args:
        run: the folder of the run, where an observer may keep files of its own
    """
