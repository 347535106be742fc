"""Training runs where nothing but PyTorch, numpy and tqdm is installed."""

import subprocess
import sys
from pathlib import Path

# Installed here, but to be taken for missing: everything that only capture, export or pictures need.
BARE = """
import sys
from importlib.machinery import PathFinder
find = PathFinder.find_spec
PathFinder.find_spec = lambda name, *rest: None if name.partition(".")[0] in {names} else find(name, *rest)
from reel2rig.training.__main__ import main
sys.exit(main(sys.argv[1:]))
"""
MISSING = {"av", "bpy", "matplotlib", "mediapipe", "onnx", "onnxruntime", "onnxscript", "scipy", "smplx"}


def bare(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the training command line in ``folder`` on such a machine."""
    command = [sys.executable, "-c", BARE.replace("{names}", repr(MISSING)), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_preprocess_and_train_need_torch_numpy_and_tqdm_only(tmp_path: Path) -> None:
    done = bare(tmp_path, "preprocess")
    assert done.returncode == 0, done.stderr
    tiny = ["--steps", "2", "--batch", "2", "--width", "16", "--device", "cpu", "--threads", "1"]
    done = bare(tmp_path, "train", *tiny)
    assert done.returncode == 0, done.stderr
    (folder,) = (tmp_path / "runs").iterdir()
    assert (folder / "best_model.pth").exists()
    assert "matplotlib" in (folder / "log.txt").read_text()
    export = bare(tmp_path, "export", str(folder / "best_model.pth"))
    assert export.returncode == 2
    assert "pip install onnx onnxruntime" in export.stderr
