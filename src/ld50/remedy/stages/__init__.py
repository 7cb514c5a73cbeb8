"""Defences of fine-tuning by the stage at which they act: while aligning, while tuning, afterwards.

They know nothing of what a user's rows hold. `ld50 study run safety-mix` measures them on one harness;
`docs/safety-mix.md` has the figures, beside what the papers claim.
"""
