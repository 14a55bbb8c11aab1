"""Plugin for chatseq: the tokenizer `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_tokenizers() -> dict[str, Reference]:
    return {"your-part": "your_package.tokenizer:YourPart"}
