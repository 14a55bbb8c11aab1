"""Plugin for chatseq: the command `/your-part` of the chat."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_slash_commands() -> dict[str, Reference]:
    return {"your-part": "your_package.slash_command:find"}
