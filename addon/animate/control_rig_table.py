"""The control rig as data: which controls there are, what they hang on, how they look. Needs nothing.

Controls stand beside SMPL's bones, which keep their names and parents and follow them by constraints. Sizes in metres.
Names begin with the side, as SMPL's do, so that Blender can mirror poses.
"""

from dataclasses import dataclass
from typing import Final, Literal

from ..character.rest_pose import ROOT_BONE

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
        return f"{self.end}_ik"

    @property
    def pole(self) -> str:
        """The control that the joint between points at."""
        return f"{self.lower}_pole"

    @property
    def aim(self) -> str:
        """Mechanism: looks from the limb's beginning to the target, its Z axis to the pole."""
        return f"{self.end}_aim"

    @property
    def bones(self) -> tuple[str, str, str]:
        """The limb's SMPL bones."""
        return (self.upper, self.lower, self.end)


def mechanism(bone: str) -> str:
    """Name of the bone that the IK turns for the SMPL bone ``bone``."""
    return f"{bone}_mech"


def tweak(bone: str) -> str:
    """Name of the control that twists the SMPL bone ``bone`` on top of the IK."""
    return f"{bone}_tweak"


def fk(bone: str) -> str:
    """Name of the FK control of the SMPL bone ``bone``."""
    return f"{bone}_fk"


BODY_CONTROLS: Final = (
    Control("pelvis_ctrl", "pelvis", ROOT_BONE, "cube", 0.17),
    Control("spine1_ctrl", "spine1", "pelvis_ctrl", size=0.18),
    Control("spine2_ctrl", "spine2", "spine1_ctrl", size=0.18),
    Control("spine3_ctrl", "spine3", "spine2_ctrl", size=0.2),
    Control("neck_ctrl", "neck", "spine3_ctrl", size=0.09),
    Control("head_ctrl", "head", "neck_ctrl", size=0.14, along=0.6),
    Control("left_collar_ctrl", "left_collar", "spine3_ctrl", size=0.08),
    Control("right_collar_ctrl", "right_collar", "spine3_ctrl", size=0.08),
    # these hang on the bones before them, which follow IK or FK
    Control("left_hand_ctrl", "left_hand", "left_wrist", size=0.05),
    Control("right_hand_ctrl", "right_hand", "right_wrist", size=0.05),
    Control("left_foot_ctrl", "left_foot", "left_ankle", size=0.06),
    Control("right_foot_ctrl", "right_foot", "right_ankle", size=0.06),
)

LIMBS: Final = (
    Limb("Left Arm IK", "left_shoulder", "left_elbow", "left_wrist", "left_collar_ctrl", -1.0),
    Limb("Right Arm IK", "right_shoulder", "right_elbow", "right_wrist", "right_collar_ctrl", -1.0),
    Limb("Left Leg IK", "left_hip", "left_knee", "left_ankle", "pelvis_ctrl", 1.0),
    Limb("Right Leg IK", "right_hip", "right_knee", "right_ankle", "pelvis_ctrl", 1.0),
)


def fk_controls(limb: Limb) -> tuple[Control, ...]:
    """The limb's FK controls, each hanging on the one before."""
    parents = (limb.above, fk(limb.upper), fk(limb.lower))
    return tuple(Control(fk(bone), bone, parent, size=0.09) for bone, parent in zip(limb.bones, parents, strict=True))
