"""Training with a known dose of poison: text to tokens, poisoned documents, schedule, loop."""
