"""Plugin for chatseq: the output layer `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_outputs() -> dict[str, Reference]:
    return {"your-part": "your_package.output:YourPart"}
