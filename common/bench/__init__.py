"""Timing: worker processes, the interleaved schedule, and the machine it ran on."""
