"""Built-in plugin: tokenizers by word, character, byte and unigram."""
