"""Analyses of what an agent does: its metrics, its choices, how it learned."""
