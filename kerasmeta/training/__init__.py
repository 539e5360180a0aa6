"""Training: configuration, collection, the loop, run directories, evaluation."""
