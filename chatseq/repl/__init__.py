"""The chat on a terminal or over a pipe: keys, slash commands, what is shown."""
