"""What the outside sees: Prometheus text, health, pages."""
