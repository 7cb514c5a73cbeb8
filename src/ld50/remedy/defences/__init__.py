"""Published defences, a small module each, all run on the same data."""
