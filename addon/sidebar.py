"""Where the panels of ours are."""


class Sidebar:
    """Mixin for panels: the tab "Reel2Rig" in the sidebar of the 3D view."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Reel2Rig"
