"""Built-in plugin: the parts of the transformer."""
