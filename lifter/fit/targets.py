"""What a pose should explain, and how far each kind of evidence may be trusted."""

from dataclasses import dataclass, fields, replace

from ...smpl_assets.rotation import Array


@dataclass(frozen=True)
class Spreads:
    """How far each kind of evidence may be trusted: standard deviations in metres, or radians where said."""

    joints: float = 0.08
    ends: float = 0.08
    keypoints: float = 0.015
    start: float = 0.35  # radians from the closed form
    smooth: float = 0.10  # radians from the smoothed motion
    limits: float = 0.03  # radians beyond a limit
    path: float = 0.05  # from the smoothed path
    place: float = 0.05  # from where the person was placed: one picture tells depth poorly
    floor: float = 0.02
    footholds: float = 0.01
    smoothing: float = 0.06  # seconds, standard deviation of the smoothed copy


@dataclass(frozen=True)
class Targets:
    """What the pose should explain. joints (T, 24, 3), ends (T, 13, 3) m, world; weights (T, 24), (T, 13) 0..1.

    rays (T, 33, 2) slopes and ray_weights (T, 33), seen by the camera world_from_cam (4, 4); None without a clip.
    With rays the picture says where the person stands; joints and ends then count relative to each other only.
    support (T, 13): how surely an end point stands on the floor; None when the floor is not known.
    footholds (T, 13, 2): x and y where it stays while it stands, NaN elsewhere (footholds.py); None: it may slide.
    """

    joints: Array
    ends: Array
    joint_weights: Array
    end_weights: Array
    rays: Array | None = None
    ray_weights: Array | None = None
    world_from_cam: Array | None = None
    support: Array | None = None
    footholds: Array | None = None

    def cut(self, part: slice) -> "Targets":
        """Only these frames."""
        of_frames = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "world_from_cam"}
        return replace(self, **{name: rows[part] for name, rows in of_frames.items() if rows is not None})
