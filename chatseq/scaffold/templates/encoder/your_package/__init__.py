"""Plugin for chatseq: the encoder `your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_encoders() -> dict[str, Reference]:
    return {"your-part": "your_package.encoder:YourPart"}
