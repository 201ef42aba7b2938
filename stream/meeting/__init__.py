"""Where the workers' counts meet: what all partitions add up to, and who says so."""
