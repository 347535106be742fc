"""The detectors on the bundled clip, and on pictures without people."""

from importlib.metadata import PackageNotFoundError
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from reel2rig.lifter.clip_reader import read_frames
from reel2rig.lifter.detect import Detections, detect, mediapipe_backend
from reel2rig.lifter.errors import CancelledError, CaptureError, InputError
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.lifter.records import Frame

DEMO = Path(__file__).parents[2] / "examples" / "balancing.mp4"
SIZE = (1088, 1920)
FRAMES = 12


def of_demo(**options: str) -> Detections:
    return detect(islice(read_frames(DEMO), FRAMES), SIZE, 60.0, device="cpu", **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def demo() -> Detections:
    return of_demo()


def test_the_man_is_followed_through_every_frame(demo: Detections) -> None:
    keypoints = demo.keypoints
    assert keypoints.frames.tolist() == list(range(FRAMES))
    assert keypoints.times == pytest.approx(np.arange(FRAMES) / 60)
    assert set(keypoints.track_id.tolist()) == {1}
    assert (keypoints.clip_frames, keypoints.image_size, keypoints.fps) == (FRAMES, SIZE, 60.0)
    assert keypoints.keypoints.shape == (FRAMES, 33, 3)
    assert np.median(keypoints.keypoints[..., 2]) > 0.8
    assert demo.provider.name == "CPUExecutionProvider"
    assert demo.seconds.keys() == {"decode", "people", "crop", "pose"}


def test_keypoints_lie_where_the_man_stands(demo: Detections) -> None:
    # read off the first frame by eye, to some 20 px
    expected = {
        "left_shoulder": (585, 630),
        "right_hip": (685, 905),
        "left_ankle": (535, 1205),
        "right_knee": (667, 1085),
    }
    first = demo.keypoints.keypoints[0]
    for name, place in expected.items():
        assert np.linalg.norm(first[BLAZEPOSE33.index(name), :2] - place) < 40, name


def test_world_points_are_metric_pelvis_centred_and_upright(demo: Detections) -> None:
    world = demo.keypoints.world
    assert world is not None
    hips = world[:, [BLAZEPOSE33.index("left_hip"), BLAZEPOSE33.index("right_hip")]].mean(axis=1)
    assert np.abs(hips).max() < 0.05
    ankle, nose = world[:, BLAZEPOSE33.index("left_ankle")], world[:, BLAZEPOSE33.index("nose")]
    assert (ankle[:, 1] - nose[:, 1]).min() > 1.0, "y points down"


def test_both_detectors_agree_to_a_few_pixels_of_the_net(demo: Detections) -> None:
    other = of_demo(backend="mediapipe").keypoints
    assert other.frames.tolist() == demo.keypoints.frames.tolist()
    apart = np.linalg.norm(other.keypoints[..., :2] - demo.keypoints.keypoints[..., :2], axis=-1)
    # the man is cut out at 1170 px and seen by both at 256: half a net's pixel of shift moves its points by 4 to 7 px
    assert np.median(apart) / (1170 / 256) < 3
    assert other.world is not None
    assert demo.keypoints.world is not None
    assert np.median(np.linalg.norm(other.world - demo.keypoints.world, axis=-1)) < 0.05


def test_points_beyond_the_picture_are_not_trusted() -> None:
    # the picture ends at the man's hips
    cut = [Frame(f.index, f.time, f.rgb[:900].copy()) for f in islice(read_frames(DEMO), 3)]
    keypoints = detect(cut, (1088, 900), 60.0, device="cpu").keypoints
    assert len(keypoints.frames) == 3
    below = keypoints.keypoints[..., 1] > 899.5
    assert below.any()
    assert keypoints.keypoints[below, 2].max() < 0.11
    assert keypoints.keypoints[:, BLAZEPOSE33.index("left_shoulder"), 2].min() > 0.8


def test_two_people_in_one_picture_get_two_tracks() -> None:
    side_by_side = [
        Frame(f.index, f.time, np.concatenate([f.rgb, f.rgb], axis=1)) for f in islice(read_frames(DEMO), 4)
    ]
    keypoints = detect(side_by_side, (2176, 1920), 60.0, device="cpu", preset="fast").keypoints
    left = keypoints.keypoints[..., 0].mean(axis=1) < 1088
    assert len(keypoints.frames) == 8
    assert len(set(keypoints.track_id[left].tolist())) == 1
    assert set(keypoints.track_id[left].tolist()).isdisjoint(keypoints.track_id[~left].tolist())
    limited = detect(side_by_side, (2176, 1920), 60.0, device="cpu", preset="fast", people_limit=1).keypoints
    assert len(limited.frames) == 4


def test_a_person_who_leaves_is_let_go() -> None:
    pictures = [f.rgb for f in islice(read_frames(DEMO), 4)] + [np.full((1920, 1088, 3), 90, np.uint8)] * 6
    frames = [Frame(index, index / 60, rgb) for index, rgb in enumerate(pictures)]
    keypoints = detect(frames, SIZE, 60.0, device="cpu", preset="fast").keypoints
    assert keypoints.frames.tolist() == [0, 1, 2, 3]
    assert keypoints.clip_frames == 10


def test_nobody_in_view_gives_no_rows() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (240, 320, 3), np.uint8)
    keypoints = detect([Frame(0, 0.0, noise)], (320, 240), 30.0, device="cpu").keypoints
    assert keypoints.keypoints.shape == (0, 33, 3)
    assert keypoints.clip_frames == 1


def test_progress_counts_frames_and_can_stop_the_work() -> None:
    frames = read_frames(DEMO)
    counted: list[int] = []

    def stop_at_two(done: int) -> None:
        counted.append(done)
        if done == 2:
            raise CancelledError

    with pytest.raises(CancelledError):
        detect(frames, SIZE, 60.0, device="cpu", preset="fast", progress=stop_at_two)
    assert counted == [1, 2]
    assert next(frames, None) is None, "the reader was closed"


def test_unknown_names_are_refused() -> None:
    with pytest.raises(InputError, match="turbo"):
        detect([], SIZE, 60.0, preset="turbo")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="openpose"):
        detect([], SIZE, 60.0, backend="openpose")  # type: ignore[arg-type]


@pytest.mark.parametrize("version", ["0.10.35", "0.11.0rc1", "1.2.2"])
def test_a_mediapipe_that_reports_usage_is_refused(monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    monkeypatch.setattr(mediapipe_backend, "metadata", SimpleNamespace(version=lambda name: version))
    with pytest.raises(CaptureError) as caught:
        detect([], SIZE, 60.0, backend="mediapipe")
    assert caught.value.code == "mediapipe_reports"
    assert "0.10.33" in caught.value.hint


def test_a_missing_mediapipe_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(mediapipe_backend, "metadata", SimpleNamespace(version=missing))
    with pytest.raises(CaptureError) as caught:
        detect([], SIZE, 60.0, backend="mediapipe")
    assert caught.value.code == "missing_package"
    assert "pip install mediapipe==0.10.33" in caught.value.hint
