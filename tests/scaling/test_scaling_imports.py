"""What takes long to load is loaded where it is needed."""

import subprocess
import sys
from pathlib import Path


def test_neither_pandas_nor_scipy_is_loaded_before_a_table_or_a_fit_is_made():
    program = (
        "import sys, dscourse.scaling as s; seen = lambda: ['pandas' in sys.modules, 'scipy.optimize' in sys.modules];"
        "law = s.USL(0.1, 0.01)(4); s.simulate_queue([1, 1], [1, 2]); s.mmc(1, 1, 2); before = seen();"
        "s.mm1(1, 2).sojourn_quantile(0.9); print(before, seen())"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=root
    )
    assert done.stdout.strip() == "[False, False] [False, True]"
