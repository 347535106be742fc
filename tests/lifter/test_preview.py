"""The preview: every frame is there, and what is drawn lies where the person is."""

from pathlib import Path

import av
import numpy as np
import pytest
from reel2rig.lifter.preview import LEFT, RIGHT, Overlay, Person, SideView, draw_lines, side_by_side, write_preview
from reel2rig.lifter.records import Frame, Keypoints

K = np.array([[400.0, 0, 159.5], [0, 400.0, 119.5], [0, 0, 1]])
# A level camera 1 m above the floor, looking along +Y, 4 m before the origin.
WORLD_FROM_CAM = np.array([[1.0, 0, 0, 0], [0, 0, 1, -4], [0, -1, 0, 1], [0, 0, 0, 1]])
SIZE = (320, 240)


def person(frames: int = 3) -> Person:
    """Somebody whose points all lie on one vertical line at the origin, from 0 to 1.7 m."""
    points = np.zeros((frames, 37, 3))
    points[:, :, 2] = np.concatenate([np.linspace(0, 1.7, 24), np.full(13, 1.7)])
    return Person(np.arange(frames), points, np.ones(frames))


def keypoints(frames: int = 3, confidence: float = 0.0) -> Keypoints:
    rows = np.arange(frames)
    points = np.full((frames, 33, 3), [40.0, 60.0, confidence], np.float32)
    ones = np.ones(frames, np.int64)
    return Keypoints(points, "blazepose33", ones, 0 * ones, rows, rows / 30, SIZE, 30.0, frames)


def black(index: int, size: tuple[int, int] = SIZE) -> Frame:
    return Frame(index, index / 30, np.zeros((size[1], size[0], 3), np.uint8))


def touched(picture: np.ndarray) -> tuple[list[int], list[int]]:
    """First and last row and column that are not black."""
    rows, columns = np.nonzero(picture.max(axis=-1) > 40)
    return [int(rows.min()), int(rows.max())], [int(columns.min()), int(columns.max())]


def test_the_skeleton_is_drawn_where_the_camera_sees_it() -> None:
    rows, columns = touched(Overlay([person()], keypoints(), K, WORLD_FROM_CAM, SIZE).draw(black(1)))
    # 4 m away, 100 px a metre: feet 1 m below the axis, head 0.7 m above it
    assert rows == pytest.approx([119.5 - 70, 119.5 + 100], abs=3)
    assert columns == pytest.approx([159.5, 159.5], abs=3)


def test_sure_keypoints_are_dots_and_unseen_ones_are_not_drawn() -> None:
    nobody = np.full((3, 37, 3), [0.0, -99.0, 0.0])  # behind the camera
    hidden = Person(np.arange(3), nobody, np.ones(3))
    rows, columns = touched(Overlay([hidden], keypoints(confidence=0.9), K, WORLD_FROM_CAM, SIZE).draw(black(1)))
    assert np.mean(rows) == pytest.approx(60, abs=1)
    assert np.mean(columns) == pytest.approx(40, abs=1)
    assert not Overlay([hidden], keypoints(confidence=0.0), K, WORLD_FROM_CAM, SIZE).draw(black(1)).any()


def test_a_frame_without_anybody_is_the_plain_picture() -> None:
    assert not Overlay([person()], keypoints(), K, WORLD_FROM_CAM, SIZE).draw(black(7)).any()


def test_a_reduced_picture_gets_its_drawing_at_the_reduced_place() -> None:
    half = (SIZE[0] // 2, SIZE[1] // 2)
    overlay = Overlay([person()], keypoints(), K, WORLD_FROM_CAM, half)
    rows, columns = touched(overlay.draw(black(1, half)))
    assert rows == pytest.approx([59.5 - 35, 59.5 + 50], abs=3)
    assert columns == pytest.approx([79.5, 79.5], abs=3)


def test_drawing_leaves_the_frame_as_it_was() -> None:
    frame = black(1)  # slow clips give one frame twice
    assert Overlay([person()], keypoints(), K, WORLD_FROM_CAM, SIZE).draw(frame).any()
    assert not frame.rgb.any()


def test_the_side_view_has_the_camera_on_the_left() -> None:
    near, far = person(), person()
    near.points[:, :, 1] -= 1.0  # towards the camera, which looks along +Y
    view = SideView([near, far], 240)
    for one, other in ((near, far), (far, near)):
        alone = SideView([one], 240)
        alone.centre, alone.pixels_per_metre = view.centre, view.pixels_per_metre
        columns = np.nonzero((alone.draw(0) != alone.empty).any(axis=(0, 2)))[0]
        assert (columns.mean() < view.size[0] / 2) == (one is near)
        assert other is not one
    rows = np.nonzero((view.draw(0) != view.empty).any(axis=(1, 2)))[0]
    floor = np.nonzero(view.empty.max(axis=(1, 2)) > 100)[0].mean()
    assert rows.max() == pytest.approx(floor, abs=5)  # feet stand on the floor line


@pytest.mark.parametrize("end", [(60.0, 20.0), (20.0, 20.0), (-500.0, 20.0), (1e6, 1e6), (float("nan"), 0.0)])
def test_lines_are_drawn_between_their_ends_and_clipped_to_the_picture(end: tuple[float, float]) -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    draw_lines(picture, np.array([[20.0, 20.0]]), np.array([end]), np.array([LEFT]), 2.0)
    if np.isnan(end[0]):
        assert not picture.any()
        return
    np.testing.assert_array_equal(picture[20, 20], LEFT)
    assert not picture[5].any()  # nothing above the line
    halfway = round((20 + np.clip(end[0], 0, 79)) / 2)
    if end[1] == 20.0:
        np.testing.assert_array_equal(picture[20, halfway], LEFT)


@pytest.mark.parametrize("order", [1, -1])
def test_later_lines_lie_over_earlier_ones(order: int) -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    starts, ends = np.array([[5.0, 20.0], [20.0, 5.0]])[::order], np.array([[35.0, 20.0], [20.0, 35.0]])[::order]
    draw_lines(picture, starts, ends, np.array([LEFT, RIGHT])[::order], 2.0)
    np.testing.assert_array_equal(picture[20, 20], RIGHT if order == 1 else LEFT)
    np.testing.assert_array_equal(picture[20, 8], LEFT)
    np.testing.assert_array_equal(picture[8, 20], RIGHT)


def test_a_line_is_as_wide_as_asked_for_whichever_way_it_runs() -> None:
    turned = np.radians(np.arange(0, 360, 15))
    ends = 50 + 40 * np.stack([np.cos(turned), np.sin(turned)], axis=1)
    for end in ends:
        picture = np.zeros((101, 101, 3), np.uint8)
        draw_lines(picture, np.array([[50.0, 50.0]]), end[None], np.array([[255, 255, 255]]), 2.0)
        # a strip 40 px long and 4 wide, with half a disc at each end
        assert picture[..., 0].sum() / 255 == pytest.approx(40 * 4 + np.pi * 2**2, rel=0.02)


@pytest.mark.parametrize("widths", [(320, 180), (404, 542), (2, 6)])
def test_the_encoder_gets_both_pictures_whole(widths: tuple[int, int]) -> None:
    left, right = (np.random.default_rng(0).integers(0, 255, (6, width, 3), np.uint8) for width in widths)
    frame = side_by_side(left, right)
    np.testing.assert_array_equal(frame.to_ndarray(), np.concatenate([left, right], axis=1))


def test_the_video_has_as_many_frames_as_the_clip_and_its_rate(tmp_path: Path) -> None:
    path = tmp_path / "미리보기 🎬.mp4"
    done = []
    frames = iter([black(index) for index in range(3)])
    write_preview(path, frames, 30000 / 1001, [person()], keypoints(), K, WORLD_FROM_CAM, done.append)
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        pictures = [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)]
        assert float(stream.average_rate or 0) == pytest.approx(30000 / 1001)
    assert done == [1, 2, 3]
    assert [picture.shape for picture in pictures] == [(240, 320 + 180, 3)] * 3
