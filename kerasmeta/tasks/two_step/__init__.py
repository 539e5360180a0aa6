"""Two-step tasks: two-stage choices whose contingency changes."""
