"""`python -m steadyhand`."""

import sys

from steadyhand.cli import main

sys.exit(main())
