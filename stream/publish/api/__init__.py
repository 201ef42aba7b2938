"""The HTTP API: the numbers as JSON, for the page and for programs."""
