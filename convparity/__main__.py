"""``python -m convparity``: the command, which imports nothing from the current folder: it may have a ``numpy.py``."""

import sys

from convparity import main
from convparity.packages import forget

if not sys.flags.safe_path:
    forget(sys.path[0])
main()
