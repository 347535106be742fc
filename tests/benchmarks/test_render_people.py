"""Rendered people come with their truth: what is in the picture is where the numbers say."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from reel2rig.benchmarks.render_people import posed
from reel2rig.lifter.clip_reader import read_frames
from reel2rig.smpl_assets.body import open_body
from reel2rig.training.readers.cmu_pack import PACK, read_cmu_pack


def test_a_scene_stands_on_the_floor_and_moves_as_the_clip_does() -> None:
    clip = next(clip for clip in read_cmu_pack(PACK, print) if clip["name"] == "cmu_06_14")
    scene = posed(clip, 20, 5, np.random.default_rng(0))
    assert scene.vertices.shape == (5, len(open_body().v_template), 3)
    assert -0.05 < scene.vertices[..., 2].min() < 0.05
    travel = clip["joints"][20:25, 0] - clip["joints"][20, 0]
    np.testing.assert_allclose(scene.joints[:, 0] - scene.joints[0, 0], travel[:, [0, 2, 1]] * [1, -1, 1], atol=1e-5)


def test_the_person_is_in_the_picture_where_the_truth_says(tmp_path: Path) -> None:
    verb = [sys.executable, "-m", "reel2rig.benchmarks.render_people", str(tmp_path), "--clips", "cmu_06_14:20"]
    subprocess.run([*verb, "--frames", "2", "--size", "128", "--samples", "4"], check=True, capture_output=True)
    folder = tmp_path / "cmu_06_14"
    assert sorted(file.name for file in folder.iterdir()) == ["truth.npz", "view0.mp4"]
    frames = [frame.rgb.astype(int) for frame in read_frames(folder / "view0.mp4")]
    with np.load(folder / "truth.npz", allow_pickle=False) as truth:
        place, lens, joints = truth["world_from_cam"][0], truth["K"][0], truth["joints"]
    np.testing.assert_allclose(place[:3, :3] @ place[:3, :3].T, np.eye(3), atol=1e-6)
    seen = (joints - place[:3, 3]) @ place[:3, :3]
    pixels = np.round(seen[..., :2] / seen[..., 2:] @ lens[:2, :2].T + lens[:2, 2]).astype(int)
    assert len(frames) == 2
    assert pixels.min() >= 0
    assert pixels.max() < 128
    # the shoes are black and stand on a floor that is not
    for frame, (left, right) in zip(frames, pixels[:, [10, 11]], strict=True):
        shoes = [frame[y - 1 : y + 2, x - 1 : x + 2].mean() for x, y in (left, right)]
        assert max(shoes) < 0.6 * frame[-3:].mean()
