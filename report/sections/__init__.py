"""Pure functions from records to tables and Markdown."""
