"""Figures for Prometheus, read from the warehouse by bounded queries: what the alert rules and dashboards hang on."""
