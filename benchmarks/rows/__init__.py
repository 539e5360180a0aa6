"""One file per row of the table; `benchmarks.run` names them."""
