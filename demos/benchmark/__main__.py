"""``python -m demos.benchmark``: see the package."""

from __future__ import annotations

import sys

from demos.benchmark.command import main

if __name__ == "__main__":
    sys.exit(main())
