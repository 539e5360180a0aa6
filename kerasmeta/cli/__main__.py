"""`python -m kerasmeta.cli`."""

from kerasmeta.cli.app import main

main()
