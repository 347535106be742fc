"""All classes Blender must know, in the order they are registered."""

from typing import Any, Final

import bpy

from . import translation
from .animate.animate_panel import ANIMATE_CLASSES
from .capture.capture_jobs import JOBS
from .capture.capture_panel import REEL2RIG_PT_capture, Reel2RigSettings
from .capture.capture_range import SceneRange, WholeClip
from .capture.correct import CorrectRange, DeletePerson, InterpolateUncertain, RemoveCorrection
from .capture.import_video import CancelCapture, ImportVideo, REEL2RIG_FH_video, RemoveFromQueue
from .capture.refit import Refit, UpdateCharacters
from .character.character_panel import REEL2RIG_PT_character
from .character.import_motion import ImportMotion
from .character.look_through import LookThroughCamera
from .export.export_game import ExportAll, ExportGame
from .export.export_panel import REEL2RIG_PT_export
from .preferences import CheckEnvironment, Reel2RigPreferences, forget_state
from .retarget.retarget_panel import RETARGET_CLASSES
from .set_up.set_up_capture import CancelSetUp, SetUpCapture, SetUpFromWheels, stop_set_up
from .workers.failures import FAILURES, CopyReport, DismissFailures
from .workers.follows_worker import stop_watching

CLASSES: Final[tuple[type, ...]] = (
    CheckEnvironment,
    SetUpCapture,
    SetUpFromWheels,
    CancelSetUp,
    Reel2RigPreferences,
    Reel2RigSettings,
    ImportVideo,
    CancelCapture,
    RemoveFromQueue,
    WholeClip,
    SceneRange,
    CopyReport,
    DismissFailures,
    ImportMotion,
    Refit,
    UpdateCharacters,
    CorrectRange,
    InterpolateUncertain,
    RemoveCorrection,
    DeletePerson,
    LookThroughCamera,
    ExportGame,
    ExportAll,
    REEL2RIG_FH_video,
    REEL2RIG_PT_capture,
    REEL2RIG_PT_character,
    REEL2RIG_PT_export,
    *ANIMATE_CLASSES,
    *RETARGET_CLASSES,
)


def register() -> None:
    """Make classes, the scene's settings and the menu lines known to Blender."""
    for cls in CLASSES:
        bpy.utils.register_class(cls)
    translation.register()
    scene: Any = bpy.types.Scene
    scene.reel2rig = bpy.props.PointerProperty(type=Reel2RigSettings)
    bpy.types.TOPBAR_MT_file_import.append(_draw_import)
    bpy.types.TOPBAR_MT_file_export.append(_draw_export)


def unregister() -> None:
    """Stop a running capture or set-up and take everything back, in reverse order."""
    JOBS.stop_all()
    stop_watching()
    FAILURES.clear()
    stop_set_up()
    forget_state()
    bpy.types.TOPBAR_MT_file_export.remove(_draw_export)
    bpy.types.TOPBAR_MT_file_import.remove(_draw_import)
    del bpy.types.Scene.reel2rig
    translation.unregister()
    for cls in reversed(CLASSES):
        bpy.utils.unregister_class(cls)


def _draw_import(menu: Any, _context: Any) -> None:
    menu.layout.operator(ImportVideo.bl_idname, text="Reel2Rig Video (.mp4, .mov, ...)")
    menu.layout.operator(ImportMotion.bl_idname, text="Reel2Rig Motion (.npz)")


def _draw_export(menu: Any, _context: Any) -> None:
    menu.layout.operator(ExportGame.bl_idname, text="Reel2Rig for Games (.fbx, .glb, .bvh, .usd)")
