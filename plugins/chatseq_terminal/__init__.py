"""Built-in plugin: the commands of the command line and of the chat."""

from chatseq.hookspecs import Reference, hookimpl


@hookimpl
def chatseq_commands() -> dict[str, Reference]:
    return {
        "ask": "chatseq.cli.ask:ask",
        "bots": "chatseq.cli.bots:bots",
        "chat": "chatseq.cli.chat:chat",
        "corpus": "chatseq.cli.corpus:corpus",
        "doctor": "chatseq.cli.doctor:doctor",
        "evaluate": "chatseq.cli.evaluate:evaluate",
        "history": "chatseq.cli.history:history",
        "plugins": "chatseq.cli.plugins:plugins",
        "train": "chatseq.cli.train:train",
    }


@hookimpl
def chatseq_slash_commands() -> dict[str, Reference]:
    return {}
