"""The control rig as data: which controls there are, what they hang on, how they look. Needs nothing.

Controls stand beside SMPL's bones, which keep their names and parents and follow them by constraints. Sizes in metres.
"""

from dataclasses import dataclass
from typing import Final, Literal

from .rest_pose import ROOT_BONE

Shape = Literal["circle", "cube", "diamond"]
DEFORM: Final = "Deform"
CONTROLS: Final = "Controls"
FK: Final = "FK Controls"
TWEAKS: Final = "Tweaks"
MECHANISM: Final = "Mechanism"
POLE_DISTANCE: Final = 0.4
SWITCH: Final = "ik"
"""Custom property of a limb's IK control: 1 follows it, 0 follows the FK controls."""


@dataclass(frozen=True)
class Control:
    """A control on top of the SMPL bone ``bone`` that it turns; ``parent`` is the bone it hangs on.

    The shape stands ``along`` of the way from the bone's head to its tail.
    """

    name: str
    bone: str
    parent: str
    shape: Shape = "circle"
    size: float = 0.1
    along: float = 0.0


@dataclass(frozen=True)
class Limb:
    """Two bones and the one at their end. side: which way the joint between bends, along the upper bone's Z axis."""

    label: str
    upper: str
    lower: str
    end: str
    above: str
    side: float

    @property
    def target(self) -> str:
        """The IK control of the end."""
        return f"ik_{self.end}"

    @property
    def pole(self) -> str:
        """The control that the joint between points at."""
        return f"pole_{self.lower}"

    @property
    def aim(self) -> str:
        """Mechanism: looks from the limb's beginning to the target, its Z axis to the pole."""
        return f"mech_aim_{self.end}"

    @property
    def bones(self) -> tuple[str, str, str]:
        """The limb's SMPL bones."""
        return (self.upper, self.lower, self.end)


def mechanism(bone: str) -> str:
    """Name of the bone that the IK turns for the SMPL bone ``bone``."""
    return f"mech_{bone}"


def tweak(bone: str) -> str:
    """Name of the control that twists the SMPL bone ``bone`` on top of the IK."""
    return f"tweak_{bone}"


def fk(bone: str) -> str:
    """Name of the FK control of the SMPL bone ``bone``."""
    return f"fk_{bone}"


BODY_CONTROLS: Final = (
    Control("ctrl_pelvis", "pelvis", ROOT_BONE, "cube", 0.17),
    Control("ctrl_spine1", "spine1", "ctrl_pelvis", size=0.18),
    Control("ctrl_spine2", "spine2", "ctrl_spine1", size=0.18),
    Control("ctrl_spine3", "spine3", "ctrl_spine2", size=0.2),
    Control("ctrl_neck", "neck", "ctrl_spine3", size=0.09),
    Control("ctrl_head", "head", "ctrl_neck", size=0.14, along=0.6),
    Control("ctrl_left_collar", "left_collar", "ctrl_spine3", size=0.08),
    Control("ctrl_right_collar", "right_collar", "ctrl_spine3", size=0.08),
    # these hang on the bones before them, which follow IK or FK
    Control("ctrl_left_hand", "left_hand", "left_wrist", size=0.05),
    Control("ctrl_right_hand", "right_hand", "right_wrist", size=0.05),
    Control("ctrl_left_foot", "left_foot", "left_ankle", size=0.06),
    Control("ctrl_right_foot", "right_foot", "right_ankle", size=0.06),
)

LIMBS: Final = (
    Limb("Left Arm IK", "left_shoulder", "left_elbow", "left_wrist", "ctrl_left_collar", -1.0),
    Limb("Right Arm IK", "right_shoulder", "right_elbow", "right_wrist", "ctrl_right_collar", -1.0),
    Limb("Left Leg IK", "left_hip", "left_knee", "left_ankle", "ctrl_pelvis", 1.0),
    Limb("Right Leg IK", "right_hip", "right_knee", "right_ankle", "ctrl_pelvis", 1.0),
)


def fk_controls(limb: Limb) -> tuple[Control, ...]:
    """The limb's FK controls, each hanging on the one before."""
    parents = (limb.above, fk(limb.upper), fk(limb.lower))
    return tuple(Control(fk(bone), bone, parent, size=0.09) for bone, parent in zip(limb.bones, parents, strict=True))
