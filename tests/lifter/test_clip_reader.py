"""Reading clips: each frame of the tiny clips made here is a flat grey that tells its number."""

import threading
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from reel2rig.lifter.clip_reader import probe, read_frames
from reel2rig.lifter.errors import InputError

DEMO = Path(__file__).parents[2] / "examples" / "balancing.mp4"
GREY_STEP = 8
SIZE = (64, 48)


def write_clip(
    path: Path, milliseconds: Sequence[int], metadata: dict[str, str] | None = None, marked: bool = False
) -> Path:
    """A clip with one frame at each time; ``marked`` paints the stored top left quarter white on black."""
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as container:
        container.metadata.update(metadata or {})
        stream = container.add_stream("libx264", rate=25, options={"g": "10"})
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = stream.time_base = Fraction(1, 1000)
        for number, time in enumerate(milliseconds):
            rgb = np.full((SIZE[1], SIZE[0], 3), 0 if marked else number * GREY_STEP, np.uint8)
            if marked:
                rgb[: SIZE[1] // 2, : SIZE[0] // 2] = 255
            frame = av.VideoFrame.from_ndarray(rgb, format="rgb24")
            frame.pts, frame.time_base = time, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def rotate_in_header(path: Path, a: int, b: int, c: int, d: int) -> None:
    """Put a matrix (x' = a x + c y, y' = b x + d y) into the mp4's track header, as phones do."""
    data = bytearray(path.read_bytes())
    start = data.index(b"tkhd") + 4 + 40
    one = 0x10000
    values = [a * one, b * one, 0, c * one, d * one, 0, 0, 0, 0x40000000]
    data[start : start + 36] = b"".join(value.to_bytes(4, "big", signed=True) for value in values)
    path.write_bytes(data)


def numbers(path: Path, **options: Any) -> list[int]:
    """The frame numbers painted into the frames that come back."""
    return [round(float(frame.rgb.mean()) / GREY_STEP) for frame in read_frames(path, **options)]


def code_of(path: Path, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        list(read_frames(path, **options))
    assert caught.value.hint
    return caught.value.code


def test_the_demo_clip_is_told_correctly() -> None:
    clip = probe(DEMO)
    assert clip.image_size == (1088, 1920)
    assert (clip.fps, clip.frame_count, clip.rotation, clip.variable_rate) == (60, 100, 0, False)
    assert clip.duration == pytest.approx(100 / 60)
    assert len(clip.sha256) == 64
    assert clip.focal_length_35mm is None
    assert clip.warnings == ()


def test_every_frame_comes_once_in_order_with_its_time(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", range(0, 800, 40))
    frames = list(read_frames(path))
    assert [frame.index for frame in frames] == list(range(20))
    assert [frame.time for frame in frames] == pytest.approx([0.04 * i for i in range(20)])
    assert numbers(path) == list(range(20))
    assert frames[0].rgb.shape == (48, 64, 3)
    assert frames[0].rgb.dtype == np.uint8


@pytest.mark.parametrize(
    ("matrix", "rotation", "white_corner"),
    [
        # stored top left goes to: top right (turned clockwise), bottom right, bottom left
        ((0, 1, -1, 0), 270, (0, 1)),
        ((-1, 0, 0, -1), 180, (1, 1)),
        ((0, -1, 1, 0), 90, (1, 0)),
    ],
)
def test_rotation_metadata_is_applied_as_a_player_does(
    tmp_path: Path, matrix: tuple[int, int, int, int], rotation: int, white_corner: tuple[int, int]
) -> None:
    path = write_clip(tmp_path / "turned.mp4", [0, 40], marked=True)
    rotate_in_header(path, *matrix)
    clip = probe(path)
    rgb = next(iter(read_frames(path))).rgb
    height, width = rgb.shape[:2]
    assert clip.rotation == rotation
    assert clip.image_size == (width, height) == ((48, 64) if rotation % 180 else (64, 48))
    corners = rgb[[[height // 4], [3 * height // 4]], [[width // 4, 3 * width // 4]], 0]
    assert np.argwhere(corners > 128).tolist() == [list(white_corner)]


@pytest.mark.parametrize(
    ("height", "size"), [(24, (32, 24)), (36, (48, 36)), (25, (34, 24)), (48, (64, 48)), (720, (64, 48)), (2, (2, 2))]
)
def test_pictures_can_be_had_smaller_but_never_larger(tmp_path: Path, height: int, size: tuple[int, int]) -> None:
    path = write_clip(tmp_path / "clip.mp4", range(0, 400, 40))
    frames = list(read_frames(path, height=height))
    assert [frame.rgb.shape for frame in frames] == [(size[1], size[0], 3)] * 10
    assert [round(float(frame.rgb.mean()) / GREY_STEP) for frame in frames] == list(range(10))


def test_the_height_is_that_of_the_upright_picture(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "turned.mp4", [0, 40], marked=True)
    rotate_in_header(path, 0, 1, -1, 0)
    whole, half = (next(iter(read_frames(path, height=height))).rgb for height in (None, 32))
    assert (whole.shape, half.shape) == ((64, 48, 3), (32, 24, 3))
    np.testing.assert_allclose(half, whole.reshape(32, 2, 24, 2, 3).mean(axis=(1, 3)), atol=12)


def test_variable_rate_is_resampled_to_the_nearest_frames(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "vfr.mp4", [0, 100, 200, 220, 240, 340, 440])
    clip = probe(path)
    assert clip.variable_rate
    assert clip.fps == pytest.approx(6 / 0.44)
    # ticks at 0, 50, 100, ... 450 ms; a tie goes to the earlier frame
    assert numbers(path, fps=20) == [0, 0, 1, 1, 2, 4, 5, 5, 6, 6]


def test_fast_clips_are_thinned_evenly_to_at_most_sixty(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "fast.mp4", range(0, 200, 10))
    assert probe(path).default_fps == pytest.approx(50)
    assert numbers(path) == list(range(0, 20, 2))


def test_start_and_end_choose_frames_by_time_and_keep_their_numbers(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", range(0, 1200, 40))
    frames = list(read_frames(path, start=0.4, end=0.6))
    assert [frame.index for frame in frames] == [10, 11, 12, 13, 14]
    assert numbers(path, start=0.4, end=0.6) == [10, 11, 12, 13, 14]
    # far enough in to jump to a key frame instead of decoding from the beginning
    assert numbers(path, start=1.08) == [27, 28, 29]


def test_times_count_from_the_first_frame_even_when_the_file_starts_late(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "late.mkv", range(500, 700, 40))
    assert [frame.time for frame in read_frames(path)] == pytest.approx([0, 0.04, 0.08, 0.12, 0.16])


def test_the_phones_focal_length_gives_the_field_of_view(tmp_path: Path) -> None:
    key = "com.apple.quicktime.camera.focal_length.35mm_equivalent"
    clip = probe(write_clip(tmp_path / "phone.mov", [0, 40], {key: "26"}))
    assert clip.focal_length_35mm == 26
    # the longer side of a 4:3 picture is 0.8 of its diagonal: 2 atan(0.8 * 43.27 / 2 / 26)
    assert clip.field_of_view == pytest.approx(67.3, abs=0.1)


@pytest.mark.parametrize("name", ["two words.mp4", "한국어 클립.mp4", "🕺💃.mp4", "100% #1 'x'.mp4"])
def test_any_file_name_can_be_read(tmp_path: Path, name: str) -> None:
    path = write_clip(tmp_path / name, [0, 40])
    assert probe(path).frame_count == 2
    assert numbers(path) == [0, 1]


def test_one_frame_is_a_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "one.mp4", [0])
    assert probe(path).frame_count == 1
    assert numbers(path) == [0]


def test_a_cut_off_file_gives_what_it_holds_and_says_so(tmp_path: Path) -> None:
    data = DEMO.read_bytes()
    assert data.index(b"mdat") > 0
    path = tmp_path / "cut.mkv"
    with av.open(str(DEMO)) as source, av.open(str(path), "w") as target:
        video = source.streams.video[0]
        stream = target.add_stream_from_template(video)
        for packet in source.demux(video):
            if packet.dts is not None:
                packet.stream = stream
                target.mux(packet)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 10])
    warnings: list[str] = []
    frames = list(read_frames(path, warnings=warnings))
    assert 0 < len(frames) < 50
    assert [frame.index for frame in frames] == list(range(len(frames)))


def test_damaged_parts_are_passed_over_and_told(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", range(0, 2000, 40))
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    length = int.from_bytes(data[start - 8 : start - 4], "big")
    data[start + length // 2 : start + length - 8] = bytes(length - 8 - length // 2)
    path.write_bytes(data)
    warnings: list[str] = []
    frames = list(read_frames(path, warnings=warnings))
    assert 0 < len(frames) < 50
    assert warnings


def test_bad_files_are_named(tmp_path: Path) -> None:
    text, empty, sound = tmp_path / "text.mp4", tmp_path / "empty.mp4", tmp_path / "sound.wav"
    text.write_text("this is not a video\n" * 50)
    empty.touch()
    with av.open(str(sound), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        tone = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), format="s16", layout="mono")
        tone.sample_rate = 8000
        container.mux(stream.encode(tone))
    assert code_of(tmp_path / "missing.mp4") == "no_such_file"
    assert code_of(tmp_path) == "not_a_file"
    assert code_of(empty) == "empty_file"
    assert code_of(text) == "unreadable_video"
    assert code_of(sound) == "no_video"


def test_a_video_of_which_nothing_can_be_decoded_is_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "rubbish.mp4", [0, 40])
    data = bytearray(path.read_bytes())
    start = data.index(b"mdat") + 4
    length = int.from_bytes(data[start - 8 : start - 4], "big") - 8
    data[start : start + length] = bytes(length)
    path.write_bytes(data)
    assert code_of(path) == "no_frames"


def test_bad_ranges_and_rates_are_refused(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", range(0, 400, 40))
    assert code_of(path, start=0.3, end=0.1) == "bad_range"
    assert code_of(path, start=5) == "bad_range"
    assert code_of(path, fps=0) == "bad_fps"
    assert code_of(path, fps=float("nan")) == "bad_fps"
    assert code_of(path, height=0) == "bad_height"


def test_the_decoding_thread_ends_when_the_reader_stops_early() -> None:
    frames = read_frames(DEMO)
    next(frames)
    assert any(thread.name == "decode" for thread in threading.enumerate())
    frames.close()
    assert not any(thread.name == "decode" for thread in threading.enumerate())
