"""Plugin for chatseq: the decoding strategy `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_strategies() -> dict[str, Reference]:
    return {"your-part": "your_package.strategy:YourPart"}
