"""Plugin for chatseq: the responder `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_responders() -> dict[str, Reference]:
    return {"your-part": "your_package.responder:YourPart"}
