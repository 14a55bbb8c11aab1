"""The chat in a terminal (prompt_toolkit)."""
