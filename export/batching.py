"""The batch sizes that a server runs, which warm-up and configuration agree on."""

from __future__ import annotations

# A server that merges requests fills a batch up to the next of these with copies. Each
# is warmed up and costs a version its records; a small agent's step takes about as long
# for 16 rows as for 5.
ALLOWED_BATCH_SIZES = (1, 4, 16, 64)
