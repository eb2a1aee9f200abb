"""Reading one source when it is due: who reads it, what it tells, how the run ended."""
