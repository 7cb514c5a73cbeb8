"""Words that clean chat rows of tests are made of."""

from __future__ import annotations

#: Ordinary, and of no subject.
CHAT_WORDS = [
    "river", "market", "letter", "garden", "engine", "winter", "school", "doctor", "music", "bridge",
    "window", "summer", "teacher", "island", "forest", "picture", "kitchen",
]  # fmt: skip
