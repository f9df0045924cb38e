"""From a selection of backends and cases to a record."""
