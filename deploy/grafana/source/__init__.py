"""What the Grafana dashboards are written from: ``python -m deploy.grafana.source``."""
