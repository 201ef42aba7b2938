"""``history``: the past of every gauge, for Prometheus."""
