"""Reel2Rig: from a video to an animated SMPL-skeleton character and a game-ready FBX.

This folder is the Blender extension and the Python package. Blender code is imported only when Blender registers it,
so that the worker process and the command line never meet bpy.
"""


def register() -> None:
    """Called by Blender when the add-on is enabled."""
    from .addon import registration

    registration.register()


def unregister() -> None:
    """Called by Blender when the add-on is disabled."""
    from .addon import registration

    registration.unregister()
