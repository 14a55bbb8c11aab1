"""Plugin for chatseq: the text filter `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_text_filters() -> dict[str, Reference]:
    return {"your-part": "your_package.filter:YourPart"}
