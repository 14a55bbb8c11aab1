"""Built-in plugin: the tokenizers `word`, `character` and `byte`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_tokenizers() -> dict[str, Reference]:
    return {
        "byte": "chatseq_words.letters:Bytes",
        "character": "chatseq_words.letters:Characters",
        "word": "chatseq_words.words:Words",
    }
