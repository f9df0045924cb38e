"""``python -m report``: the same as ``convparity``."""

from report.cli import main

main()
