"""The command line and the generated report."""
