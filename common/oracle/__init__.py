"""The reference in plain NumPy: runs a graph, goes back through it, trains it, and says how far rounding may spread."""
