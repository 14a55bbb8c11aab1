"""Built-in plugin: the convolutional encoder."""
