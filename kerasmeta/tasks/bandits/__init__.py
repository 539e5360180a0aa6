"""Bandits: one choice a trial, paid by chance."""
