"""Plugin for chatseq: the corpus reader `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_corpus_readers() -> dict[str, Reference]:
    return {"your-part": "your_package.reader:YourPart"}
