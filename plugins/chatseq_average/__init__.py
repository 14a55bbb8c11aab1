"""Built-in plugin: the simplest encoder."""
