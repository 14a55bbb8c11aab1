"""Built-in plugin: the tokenizer `subword`, which is learnt from the corpus."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_tokenizers() -> dict[str, Reference]:
    return {"subword": "chatseq_subword.part:Subword"}
