"""Plugin for chatseq: the decoder `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_decoders() -> dict[str, Reference]:
    return {"your-part": "your_package.decoder:YourPart"}
