"""A picture of the dashboard of deploy/grafana; `make dashboard-picture`."""
