"""The behaviour metrics of each task family."""
