"""FileCheck tests of the dialects, the passes and the command line.

Run `lit lit` with the virtual environment active, or `make test`.
"""

import os
import sys
from pathlib import Path

import lit.formats

root = Path(__file__).parent.parent
config.name = "dlc"  # noqa: F821  (lit hands `config` to this file)
config.test_format = lit.formats.ShTest(execute_external=False)  # noqa: F821
config.suffixes = [".mlir", ".test"]  # noqa: F821
config.test_source_root = str(root / "lit")  # noqa: F821
config.test_exec_root = str(root / "build" / "lit")  # noqa: F821

config.environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # noqa: F821
config.environment["NO_COLOR"] = "1"  # noqa: F821
config.environment["LC_ALL"] = "C.UTF-8"  # noqa: F821
config.substitutions += [  # noqa: F821
    ("%dlc", f"{sys.executable} -m dlc"),
    ("%data", str(root / "lit" / "data")),
]
