"""What a capture can be asked for, shown in the panel and taken by the operator."""

# pyright: reportInvalidTypeForm=false

from typing import Any, Final

import bpy

from ..translation import OWN

PRESETS: Final = [
    ("fast", "Fast", "Smallest network"),
    ("balanced", "Balanced", "Good for most clips"),
    ("best", "Best", "Largest network"),
]
DEVICES: Final = [
    ("auto", "Automatic", "CUDA where it works, otherwise the processor"),
    ("cpu", "Processor", "Use the processor"),
    ("cuda", "CUDA", "Use an NVIDIA card"),
]
BUILDS: Final = [
    ("auto", "As Seen", "Gender as the joints suggest, average mass and muscle"),
    ("male", "Male", "An average man"),
    ("female", "Female", "An average woman"),
    ("male_heavy", "Heavy Male", "A heavy man"),
    ("female_heavy", "Heavy Female", "A heavy woman"),
    ("male_athletic", "Athletic Male", "A man with much muscle"),
    ("female_athletic", "Athletic Female", "A woman with much muscle"),
    ("thin", "Thin", "A slim person"),
    ("old", "Old", "An old person"),
]
CONTACTS: Final = [
    ("auto", "Found", "Feet stand where they are seen to stand; jumps stay in the air"),
    ("always", "Always on the Floor", "Never off the floor, as in golf or many dances"),
    ("never", "Never Held", "No foot is held, as in swimming or on a trampoline"),
    ("grounding", "Gliding", "The lower foot is on the floor and may glide, as on skates"),
]
MAIN: Final = ("height", "preset", "device")
FIT: Final = ("build", "smoothing", "contacts", "foot_lock", "floor")
MORE: Final = ("start", "end", *FIT, "folder")


def _share(name: str, description: str, default: float) -> Any:
    """A number from 0 to 1."""
    return bpy.props.FloatProperty(
        name=name, description=description, default=default, min=0.0, max=1.0, subtype="FACTOR"
    )


class FitSettings:
    """What a finished capture can be fitted again with; see ``reel2rig refit --help``."""

    height: bpy.props.FloatProperty(
        name="Height",
        description="How tall the person is",
        default=1.7,
        min=0.5,
        max=2.5,
        unit="LENGTH",
        translation_context=OWN,
    )
    build: bpy.props.EnumProperty(
        name="Build",
        description="Mass, muscle and gender of the open body",
        items=BUILDS,
        default="auto",
        translation_context=OWN,
    )
    smoothing: _share("Smoothing", "How calm the motion is made; 0 leaves it as fitted", 0.5)
    contacts: bpy.props.EnumProperty(
        name="Feet",
        description="What standing feet are taken to do",
        items=CONTACTS,
        default="auto",
        translation_context=OWN,
    )
    foot_lock: _share("Foot Lock", "How firmly standing feet are held in their place", 1.0)
    floor: _share("Floor", "How firmly people are kept on the floor", 1.0)


class CaptureSettings(FitSettings):
    """Properties of the operator Import Video and of the panel alike; see ``reel2rig capture --help``."""

    preset: bpy.props.EnumProperty(name="Preset", items=PRESETS, default="balanced", translation_context=OWN)
    device: bpy.props.EnumProperty(name="Device", items=DEVICES, default="auto", translation_context=OWN)
    start: bpy.props.FloatProperty(
        name="Start", description="Where in the video the capture begins", default=0.0, min=0.0, unit="TIME_ABSOLUTE"
    )
    end: bpy.props.FloatProperty(
        name="End",
        description="Where in the video the capture ends; 0 is the end of the video",
        default=0.0,
        min=0.0,
        unit="TIME_ABSOLUTE",
    )
    folder: bpy.props.StringProperty(
        name="Captures In",
        description="Where the folder of the capture is made; left empty, beside the video",
        subtype="DIR_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
    )
