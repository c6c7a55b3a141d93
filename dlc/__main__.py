"""Lets `python -m dlc` stand for the command `dlc`."""

import sys

from dlc.cli import main

sys.exit(main())
