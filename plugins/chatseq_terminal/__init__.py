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
    return {
        "bad": "chatseq.repl.feedback:bad",
        "bot": "chatseq.repl.builtin:bot",
        "clear": "chatseq.repl.builtin:clear",
        "correct": "chatseq.repl.feedback:correct",
        "good": "chatseq.repl.feedback:good",
        "help": "chatseq.repl.builtin:help_",
        "new": "chatseq.repl.builtin:new",
        "quit": "chatseq.repl.builtin:quit_",
        "resume": "chatseq.repl.builtin:resume",
        "retry": "chatseq.repl.builtin:retry",
        "sessions": "chatseq.repl.builtin:sessions",
        "set": "chatseq.repl.builtin:set_",
        "undo": "chatseq.repl.builtin:undo",
        "why": "chatseq.repl.why:why",
    }
