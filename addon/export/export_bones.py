"""Which bones of an armature a game gets, and which hangs on which: one tree of bones that deform."""

from typing import Any, Final

from ...lifter.errors import CaptureError

STAND_INS: Final = {"ORG-": "DEF-"}
"""Prefixes of bones that only others follow, and of the deforming bones that move as they do (Rigify)."""


def exported_tree(rig: Any) -> dict[str, str | None]:
    """The deforming bones of ``rig`` and a bone that carries them all where there is one, with what each hangs on.

    Parents come first; only the first has none. A bone hangs on the nearest deforming bone above it; loose ones hang
    on the top, as engines take one tree only. Raises CaptureError when no bone deforms.
    """
    bones = rig.data.bones
    deforming = {bone.name for bone in bones if bone.use_deform}
    if not deforming:
        raise CaptureError(
            "no_deform_bones", f"No bone of {rig.name} deforms a mesh.", "Switch on Deform for the bones that should."
        )
    parents = {bone.name: _above(bone, deforming) for bone in bones if bone.use_deform}
    tops = [name for name in parents if parents[name] is None]
    weight = dict.fromkeys(tops, 0)
    for name in parents:
        weight[_way_up(name, parents)[-1]] += 1
    main = max(tops, key=lambda top: weight[top])
    carrier = [main, *(bone.name for bone in bones[main].parent_recursive)][-1]
    parents = {name: carrier if parent is None else parent for name, parent in parents.items()}
    parents[carrier] = None
    return dict(sorted(parents.items(), key=lambda item: len(_way_up(item[0], parents))))


def _above(bone: Any, deforming: set[str]) -> str | None:
    """The nearest deforming bone above ``bone``, or the one that moves as a helper above it does."""
    for above in bone.parent_recursive:
        for name in (
            above.name,
            *(to + above.name[len(of) :] for of, to in STAND_INS.items() if above.name.startswith(of)),
        ):
            if name in deforming and name != bone.name:
                return name
    return None


def _way_up(name: str, parents: dict[str, str | None]) -> list[str]:
    """``name`` and all that it hangs on, to the top."""
    way = [name]
    while (above := parents[way[-1]]) is not None and above not in way:
        way.append(above)
    return way
