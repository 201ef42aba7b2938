"""``retention-stream dead-letters``: what could not be used, and its second chance."""
