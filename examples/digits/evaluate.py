"""The second step: how well is each digit read? Writes metrics.json into $MLOPS_OUT, or here."""

import json
import os
from pathlib import Path

import joblib

from images import read_folder, split

saved = joblib.load("model.joblib")
_, _, images, labels = split(*read_folder("data/digits"), saved["test_share"])
guesses = saved["model"].predict(images)

recall = {digit: float((guesses[labels == digit] == digit).mean()) for digit in range(10)}
for digit, share in recall.items():
    print(f"{digit}  {share:.3f}  {'#' * round(share * 40)}")

metrics = {"worst_digit": min(recall.values())}
Path(os.environ.get("MLOPS_OUT", "."), "metrics.json").write_text(json.dumps(metrics))
print(metrics)
