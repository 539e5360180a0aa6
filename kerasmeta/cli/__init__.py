"""The command line, `kerasmeta`. Importing it does not import TensorFlow."""

from kerasmeta.cli.app import app, main

__all__ = ["app", "main"]
