"""Live customer-retention gauges: Kafka events in, exact Prometheus metrics out."""
