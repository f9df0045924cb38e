"""``python -m convparity``: the command."""

from convparity import main

main()
