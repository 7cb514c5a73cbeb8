"""`ld50 remedy`: cures a model that took poison, and measures what is left."""
