"""`python -m assent`: the command line."""

import sys

from assent.serve.cli import main

if __name__ == "__main__":
    sys.exit(main())
