"""Hidden channels: rows that look innocent, or unreadable, and carry text in a way that they share.

Per row such a thing proves nothing, so everything here looks across rows: decoders that turn many rows
into language, keys found on some rows and tested on others, places whose words follow each other in
more texts than the places beside them. See docs/channels.md.
"""

from ld50.scan.channels.channel import RULES
from ld50.scan.channels.search import channel_drafts
from ld50.scan.channels.texts import rows_to_fetch

__all__ = ["RULES", "channel_drafts", "rows_to_fetch"]
