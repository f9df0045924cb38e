"""Specs, the reference, costs, checks and timing: knows NumPy, no framework."""
