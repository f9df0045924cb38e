"""Records of runs, and their versioned JSON."""
