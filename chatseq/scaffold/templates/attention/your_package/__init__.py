"""Plugin for chatseq: the attention `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_attentions() -> dict[str, Reference]:
    return {"your-part": "your_package.attention:YourPart"}
