"""Analyses of the bandits of Wang et al. (2018), simulations 1, 2, 3 and 6."""
