"""Daw's hybrid of model-based and model-free learning, fitted to first choices."""
