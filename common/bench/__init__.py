"""Timing: the schedule, its statistics, the machine's roofs, comparisons of runs, and sweeps."""
