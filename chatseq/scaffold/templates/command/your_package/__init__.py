"""Plugin for chatseq: the command `chatseq your-part`."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_commands() -> dict[str, Reference]:
    return {"your-part": "your_package.command:first_words"}
