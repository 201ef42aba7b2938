"""Bytes to domain values and back, versioned: event JSON, customer state, dead letters."""
