"""The pure core: what an order does to a retention figure. No clock, no IO, no framework."""
