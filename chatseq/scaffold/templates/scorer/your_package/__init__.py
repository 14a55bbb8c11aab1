"""Plugin for chatseq: the scorer `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_scorers() -> dict[str, Reference]:
    return {"your-part": "your_package.scorer:YourPart"}
