"""What a run has counted, as plain tables of typed columns."""
