"""Built-in plugin: the tokenizers `subword`, `phrase` and `unigram`, learnt from the corpus."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_tokenizers() -> dict[str, Reference]:
    return {
        "phrase": "chatseq_subword.phrases:Phrases",
        "subword": "chatseq_subword.part:Subword",
        "unigram": "chatseq_subword.unigram:Unigram",
    }
