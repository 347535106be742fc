"""A run's folder: settings, record, log, picture of the curves, weights and the state to go on from."""

import csv
import logging
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..lifter.atomic_file import written_whole
from .checkpoint import Explained, load_checkpoint, save_checkpoint
from .errors import TrainingDataError
from .json_file import write_json

if TYPE_CHECKING:
    from .train import TrainingSettings

RECORD = ("step", "loss", "validation_mpjpe_mm", "validation_ends_mm", "minutes")
LOG = logging.getLogger("reel2rig.training")


class RunFolder:
    """Files of one run; each appears whole or not at all."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def start(self, settings: "TrainingSettings") -> None:
        """Make the folder, write config.json, and log to log.txt from now on."""
        write_json(self.path / "config.json", asdict(settings))
        for handler in [*LOG.handlers]:
            LOG.removeHandler(handler)
            handler.close()
        handler = logging.FileHandler(self.path / "log.txt", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        LOG.addHandler(handler)
        LOG.setLevel(logging.INFO)

    def record(self, row: tuple[float, ...]) -> None:
        """Add a row to record.csv and the log."""
        file = self.path / "record.csv"
        rows = [] if file.exists() else [RECORD]
        with file.open("a", newline="") as stream:
            csv.writer(stream).writerows([*rows, row])
        LOG.info(", ".join(f"{key} {value:g}" for key, value in zip(RECORD, row, strict=True)))

    def forget_after(self, step: int) -> None:
        """Drop the rows of record.csv that a resumed run will write again."""
        file = self.path / "record.csv"
        if not file.exists():
            return
        with file.open(newline="") as stream:
            header, *rows = csv.reader(stream)
        with written_whole(file) as part, part.open("w", newline="") as stream:
            csv.writer(stream).writerows([header, *(row for row in rows if int(row[0]) <= step)])

    def save(self, name: str, data: dict[str, Any]) -> None:
        """Write a .pth."""
        save_checkpoint(self.path / name, data)

    def state(self) -> dict[str, Any]:
        """What state.pth holds, on the CPU. Raises TrainingDataError when there is none to go on from."""
        path = self.path / "state.pth"
        with Explained(path, "state that a run can go on from", "Give the folder of a run to --resume."):
            return load_checkpoint(path)

    def draw_history(self) -> bool:
        """Draw record.csv as training_history.png; False where matplotlib is not installed."""
        try:
            from matplotlib.figure import Figure
        except ImportError:
            LOG.info("no training_history.png, which needs matplotlib (pip install matplotlib); see record.csv")
            return False
        with (self.path / "record.csv").open(newline="") as stream:
            rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]
        figure = Figure(figsize=(9, 4), layout="constrained")
        panes = figure.subplots(1, 2)
        for pane, keys, unit in zip(panes, (RECORD[1:2], RECORD[2:4]), ("statures", "mm"), strict=True):
            for key in keys:
                pane.plot([row["step"] for row in rows], [row[key] for row in rows], label=key)
            pane.set(xlabel="step", ylabel=unit, yscale="log" if all(row[keys[0]] > 0 for row in rows) else "linear")
            pane.legend()
        with written_whole(self.path / "training_history.png") as part:
            figure.savefig(part, dpi=110)
        return True


def require_finite(loss: float, step: int) -> None:
    """Raises TrainingDataError when the loss is no number any more."""
    if not math.isfinite(loss):
        raise TrainingDataError(
            f"The loss is no number any more at step {step}. Go on from the last check with --resume, or train with a "
            "smaller --learning-rate or --precision float32."
        )
