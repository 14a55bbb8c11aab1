"""Chat: a bot with its conversation, from question to stored reply."""
