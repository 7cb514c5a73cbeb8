"""Ways to write one text as another: what hides a channel, and what reads it."""
