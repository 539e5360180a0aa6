"""Analyses of what goes on inside an agent: its units, memory, values and errors."""
