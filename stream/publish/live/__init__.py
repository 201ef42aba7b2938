"""Pushing: what changed on this worker, to whoever has the page open."""
