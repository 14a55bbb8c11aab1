"""Built-in plugin: the commands of the command line and of the chat."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_commands() -> dict[str, Reference]:
    return {}


@hookimpl
def chatseq_slash_commands() -> dict[str, Reference]:
    return {}
