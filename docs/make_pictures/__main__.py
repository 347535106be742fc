"""Make the README's pictures: ``python -m reel2rig.docs.make_pictures CAPTURE_FOLDER CLIP``.

CAPTURE_FOLDER is what ``python build.py capture CLIP --out CAPTURE_FOLDER --fbx`` wrote. The picture of the Blender
window needs a screen and is made by blender_window.py.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from ...lifter.clip_reader import probe, read_frames
from ...lifter.motion_file import read_motion
from ...lifter.preview import Picture
from .character import OPACITY, over, render_character, render_export
from .landmarks import landmark_picture
from .sheet import beside, resized, save, stack

PICTURES = Path(__file__).resolve().parent.parent / "pictures"
MOMENTS = (0.1, 0.45, 0.9)  # shares of the clip that are shown


def main() -> None:
    """Write preview.jpg, on_the_person.jpg, fbx.jpg and landmarks.jpg."""
    parser = argparse.ArgumentParser(prog="python -m reel2rig.docs.make_pictures", description=main.__doc__)
    parser.add_argument("capture", type=Path, help="capture folder with .blend and .fbx")
    parser.add_argument("clip", type=Path, help="the clip that was captured")
    parser.add_argument("--out", type=Path, default=PICTURES)
    options = parser.parse_args()
    motion = read_motion(options.capture / "person_01.npz")
    assert motion.frames is not None
    rows = [round(share * (len(motion.poses) - 1)) for share in MOMENTS]
    frames = motion.frames[rows].tolist()
    blend, fbx = (options.capture / f"{options.clip.stem}{ending}" for ending in (".blend", ".fbx"))

    preview = frames_of(options.capture / "preview.mp4", frames)
    save(options.out / "preview.jpg", beside(preview))
    figures = render_character(blend, motion, rows)
    clip = frames_of(options.clip, frames)
    on_person = [
        over(figure, resized(picture, figure.shape[1], figure.shape[0]), OPACITY)
        for figure, picture in zip(figures, clip, strict=True)
    ]
    save(options.out / "on_the_person.jpg", beside(on_person))
    exported = render_export(fbx, motion, rows[1:], preview[0].shape[0])
    save(options.out / "fbx.jpg", stack([beside(preview[1:]), beside(exported)]))
    save(options.out / "landmarks.jpg", landmark_picture())


def frames_of(video: Path, numbers: Iterable[int]) -> list[Picture]:
    """The frames with these source frame numbers."""
    wanted = list(numbers)
    pictures = {frame.index: frame.rgb for frame in read_frames(video, fps=probe(video).fps) if frame.index in wanted}
    return [pictures[number] for number in wanted]


if __name__ == "__main__":
    main()
