"""Plugin for chatseq: the adjuster `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_adjusters() -> dict[str, Reference]:
    return {"your-part": "your_package.adjuster:YourPart"}
