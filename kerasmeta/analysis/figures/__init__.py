"""Figures and the files they go to."""
