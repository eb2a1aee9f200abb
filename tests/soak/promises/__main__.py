"""`python -m tests.soak.promises FOLDER` judges the history of a run again, without the house."""

import sys
from pathlib import Path

from tests.soak.promises.checkers import judge
from tests.soak.promises.history import History

for name, verdict in judge(History.read(Path(sys.argv[1]))).items():
    print(f"{name}: {len(verdict.wrong)} in {verdict.trials} trials")
    for words in verdict.wrong[:20]:
        print(f"  {words}")
