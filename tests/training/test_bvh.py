"""BVH files made here from a known motion: whatever the rig, the person must move as they did."""

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from reel2rig.smpl_assets.body import joint_transforms, open_body
from reel2rig.smpl_assets.rotation import geodesic_degrees, matrix_from_axis_angle, matrix_from_quaternion
from reel2rig.smpl_assets.skeleton import JOINT, JOINT_NAMES, PARENTS
from reel2rig.training.errors import TrainingDataError
from reel2rig.training.readers.bvh import read_bvh
from reel2rig.training.readers.bvh_file import read_bvh_file
from reel2rig.training.readers.bvh_skeletons import Skeleton, read_skeletons
from reel2rig.training.readers.clip import Clip
from scipy.spatial.transform import Rotation

pytestmark = pytest.mark.filterwarnings("ignore:Gimbal lock")  # of the writer; the angles are right all the same
FRAMES = 40
REST = open_body().joint_template.astype(np.float64)
LIMBS = [(f"{s}_{a}", f"{s}_{b}") for s in ("left", "right") for a, b in (
    ("hip", "knee"), ("knee", "ankle"), ("shoulder", "elbow"), ("elbow", "wrist"),
)]  # fmt: skip


def about(axis: str, degrees: float) -> np.ndarray:
    return Rotation.from_euler(axis, degrees, degrees=True).as_matrix()


@pytest.fixture(scope="module")
def motion() -> tuple[np.ndarray, np.ndarray]:
    """Local rotations (T, 24, 3, 3) and pelvis (T, 3) m of somebody who walks about and turns; T-pose in frame 0."""
    random = np.random.default_rng(1)
    time = np.arange(FRAMES)[:, None, None] / 30
    angles = 0.4 * np.sin(random.uniform(1, 4, (24, 3)) * time) * random.uniform(-1, 1, (24, 3))
    angles[:, 22:] = 0.0
    angles[:, 0, 1] += 2.0 * time[:, 0, 0]
    pelvis = np.stack([0.5 * time[:, 0, 0], 0.95 + 0.0 * time[:, 0, 0], 0.2 * time[:, 0, 0]], axis=1)
    return matrix_from_axis_angle(angles), pelvis


@dataclass
class Rig:
    """How a rig differs from SMPL's T-pose. bind: by SMPL joint, what turns the joint's own axes into the T-pose."""

    names: dict[str, str] = field(default_factory=lambda: {name: name for name in JOINT_NAMES})
    bind: dict[str, np.ndarray] = field(default_factory=dict)
    unit: float = 0.01
    order: str = "ZXY"
    positions_everywhere: bool = False
    world: np.ndarray = field(default_factory=lambda: np.eye(3))


def write_bvh(path: Path, rig: Rig, local: np.ndarray, pelvis: np.ndarray, frame_time: float = 1 / 30) -> None:
    """The motion on the rig, as text. Joints that the rig lacks are left out, their children hang on what is above."""
    world, joints = joint_transforms(REST, PARENTS, local, pelvis - REST[0])
    kept = [joint for joint, name in enumerate(JOINT_NAMES) if name in rig.names]
    bind = [rig.bind.get(name, np.eye(3)) for name in JOINT_NAMES]
    header, columns = ["HIERARCHY"], []

    def parent_of(joint: int) -> int:
        above = PARENTS[joint]
        return above if above in kept or above < 0 else parent_of(above)

    def add(joint: int, indent: str) -> None:
        above = parent_of(joint)
        offset = np.zeros(3) if above < 0 else bind[above].T @ (REST[joint] - REST[above]) / rig.unit
        turned = world[:, joint] @ bind[joint]
        if above < 0:
            turned, place = rig.world @ turned, joints[:, joint] @ rig.world.T / rig.unit
        else:
            turned, place = (
                np.swapaxes(world[:, above] @ bind[above], -1, -2) @ turned,
                np.tile(offset, (len(local), 1)),
            )
        placed = above < 0 or rig.positions_everywhere
        channels = ("Yposition", "Zposition", "Xposition") * placed + tuple(f"{axis}rotation" for axis in rig.order)
        header.append(f"{indent}{'ROOT' if above < 0 else 'JOINT'} {rig.names[JOINT_NAMES[joint]]}\n{indent}{{")
        header.append(f"{indent}\tOFFSET {' '.join(f'{value:.6f}' for value in offset)}")
        header.append(f"{indent}\tCHANNELS {len(channels)} {' '.join(channels)}")
        columns.extend([place[:, [1, 2, 0]]] * placed)
        columns.append(Rotation.from_matrix(turned).as_euler(rig.order, degrees=True))
        children = [child for child in kept if parent_of(child) == joint]
        for child in children:
            add(child, indent + "\t")
        if not children:
            end = bind[joint].T @ ([0.0, 0.1, 0.0] if "head" in JOINT_NAMES[joint] else REST[joint] - REST[above]) / 3
            header.append(
                f"{indent}\tEnd Site\n{indent}\t{{\n{indent}\t\tOFFSET {end[0]} {end[1]} {end[2]}\n{indent}\t}}"
            )
        header.append(f"{indent}}}")

    add(0, "")
    rows = [" ".join(f"{value:.6f}" for value in row) for row in np.concatenate(columns, axis=1)]
    text = "\n".join([*header, "MOTION", f"Frames: {len(local)}", f"Frame Time: {frame_time:.7f}", *rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text + "\n", encoding="utf-8")


def read_one(folder: Path, **options: Any) -> Clip:
    (clip,) = read_bvh(folder, lambda line: None, **options)
    return clip


def directions(joints: np.ndarray, bones: list[tuple[str, str]]) -> np.ndarray:
    bone = joints[:, [JOINT[b] for _, b in bones]] - joints[:, [JOINT[a] for a, _ in bones]]
    return bone / np.linalg.norm(bone, axis=-1, keepdims=True)


def degrees_apart(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    return np.degrees(2 * np.arcsin(np.clip(np.linalg.norm(first - second, axis=-1) / 2, 0, 1)))


def a_pose(degrees: float) -> dict[str, np.ndarray]:
    """Rest with both arms lowered, and each joint's own axes lowered with them."""
    arms = ("shoulder", "elbow", "wrist", "hand")
    return {
        f"{side}_{part}": about("Z", sign * degrees) for side, sign in (("left", 1), ("right", -1)) for part in arms
    }


def spread_legs(degrees: float) -> dict[str, np.ndarray]:
    legs = ("hip", "knee")
    return {
        f"{side}_{part}": about("Z", sign * degrees) for side, sign in (("left", -1), ("right", 1)) for part in legs
    }


RIGS = {
    "centimetres": Rig(),
    "inches": Rig(unit=0.0254),
    "metres": Rig(unit=1.0),
    "A-pose": Rig(bind=a_pose(45)),
    "arms hang down": Rig(bind=a_pose(85)),
    "spread legs": Rig(bind=spread_legs(20)),
    "other order of channels": Rig(order="YXZ"),
    "position channels on all joints": Rig(positions_everywhere=True),
    "Z up": Rig(world=about("X", 90), bind={name: about("X", -90) for name in JOINT_NAMES}),
    "rest turned in the world": Rig(bind={name: about("Y", 70) for name in JOINT_NAMES}),
}


@pytest.mark.parametrize("rig", RIGS.values(), ids=RIGS.keys())
def test_any_rig_gives_the_same_person(rig: Rig, motion: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    write_bvh(tmp_path / "walk.bvh", rig, *motion)
    clip = read_one(tmp_path)
    local, pelvis = motion
    _, joints = joint_transforms(REST, PARENTS, local, pelvis - REST[0])
    lowered = clip["joints"] - joints
    assert np.allclose(lowered[..., [0, 2]], 0.0, atol=1e-3)
    assert np.ptp(lowered[..., 1]) < 1e-3, "only the floor may differ"
    assert "rotations" in clip
    # The shortest rotation from a spread leg to a straight one is a little less than what the rig's maker did
    assert geodesic_degrees(matrix_from_quaternion(clip["rotations"].astype(np.float64)), local).max() < 2.5
    assert np.allclose(np.diff(clip["time"]), 1 / 30, atol=1e-5)


def names_of(skeleton: Skeleton) -> dict[str, str]:
    """A file's names by SMPL joint, for joints that are one joint of the file and not yet another's."""
    names: dict[str, str] = {}
    for joint in JOINT_NAMES:
        sources = skeleton.joints.get(joint, ())
        if len(sources) == 1 and sources[0].split("|")[0] not in names.values():
            names[joint] = sources[0].split("|")[0]
    return names


@pytest.mark.parametrize("skeleton", read_skeletons(), ids=lambda skeleton: skeleton.name)
def test_every_shipped_table_reads_its_skeleton(
    skeleton: Skeleton, motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    names = names_of(skeleton)
    further = [name for name in skeleton.also if name not in names.values()]
    names |= dict(zip(("left_hand", "right_hand"), further, strict=False))
    rig = Rig(names=names, bind={name: axes.T for name, axes in skeleton.axes.items()})
    write_bvh(tmp_path / "walk.bvh", rig, *motion)
    told: list[str] = []
    (clip,) = read_bvh(tmp_path, told.append)
    _, joints = joint_transforms(REST, PARENTS, motion[0], motion[1] - REST[0])
    assert f"'{skeleton.name}'" in told[0]
    assert degrees_apart(directions(clip["joints"], LIMBS), directions(joints, LIMBS)).max() < 0.1


def test_names_are_compared_without_name_space_prefix_and_case(
    motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    mixamo = next(skeleton for skeleton in read_skeletons() if skeleton.name.startswith("Mixamo"))
    for folder, spell in {"a": "mixamorig:{}", "b": "Neo_{}", "c": "{} x"}.items():
        spelled = {joint: spell.format(name).replace(" x", "") for joint, name in names_of(mixamo).items()}
        write_bvh(tmp_path / folder / "walk.bvh", Rig(names=spelled), *motion)
    clips = list(read_bvh(tmp_path, lambda line: None))
    assert [clip["actor"] for clip in clips] == ["a", "b", "c"]
    assert np.allclose(clips[0]["joints"], clips[1]["joints"])


def test_a_rig_with_bones_missing_keeps_its_limbs(motion: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    gone = ("spine1", "spine2", "spine3", "neck", "left_collar", "right_collar", "left_foot", "left_hand", "right_hand")
    rig = Rig(names={name: name for name in JOINT_NAMES if name not in gone})
    write_bvh(tmp_path / "walk.bvh", rig, *motion)
    clip = read_one(tmp_path)
    _, joints = joint_transforms(REST, PARENTS, motion[0], motion[1] - REST[0])
    assert degrees_apart(directions(clip["joints"], LIMBS), directions(joints, LIMBS)).max() < 0.1


def random_axes() -> dict[str, np.ndarray]:
    return dict(
        zip(JOINT_NAMES, Rotation.from_quat(np.random.default_rng(3).normal(size=(24, 4))).as_matrix(), strict=True)
    )


def test_a_first_frame_in_t_pose_serves_where_the_zero_pose_is_none(
    motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    local, pelvis = motion
    write_bvh(tmp_path / "walk.bvh", Rig(bind=random_axes()), local, pelvis)
    clip = read_one(tmp_path)
    assert "rotations" in clip
    assert geodesic_degrees(matrix_from_quaternion(clip["rotations"].astype(np.float64)), local).max() < 0.5


def test_a_file_without_any_pose_to_start_from_is_explained(
    motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    local = motion[0].copy()
    local[:, JOINT["left_shoulder"]] = about("Z", -80)
    write_bvh(tmp_path / "walk.bvh", Rig(bind=random_axes()), local, motion[1])
    told: list[str] = []
    with pytest.raises(TrainingDataError, match="No BVH file"):
        list(read_bvh(tmp_path, told.append))
    assert "T-pose" in told[0]


def test_an_own_table_is_asked_first(motion: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    """Korean names, and local axes that make the zero pose useless: each bone along its own Z."""
    korean = {name: f"관절{index}" for index, name in enumerate(JOINT_NAMES)}
    axes = np.stack([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]], axis=1)  # left y, up z, forward x
    write_bvh(tmp_path / "clips" / "걷기.bvh", Rig(names=korean, bind=dict.fromkeys(JOINT_NAMES, axes.T)), *motion)
    table = tmp_path / "table.json"
    table.write_text(json.dumps({"name": "mine", "joints": korean, "axes": dict.fromkeys(JOINT_NAMES, "y z x")}))
    clip = read_one(tmp_path / "clips", table=table)
    assert clip["name"] == "걷기"
    assert "rotations" in clip
    assert geodesic_degrees(matrix_from_quaternion(clip["rotations"].astype(np.float64)), motion[0]).max() < 0.5


@pytest.mark.parametrize(
    ("table", "fault"),
    [
        ("not json", "cannot be read"),
        ('{"joints": {"pelvis": "Hips"}}', "left_hip"),
        ('{"joints": {"tail": "Tail"}}', "tail"),
        ('{"joints": {}, "axes": {"pelvis": "x y -z"}}', "pelvis|right-handed"),
        ("[1]", "not right"),
    ],
)
def test_a_wrong_table_says_what_is_wrong(table: str, fault: str, tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text(table)
    with pytest.raises(TrainingDataError, match=fault):
        list(read_bvh(tmp_path, print, table=tmp_path / "table.json"))


def test_relaxed_elbows_of_a_figure_stand_for_straight_ones(
    motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    """straight: a rig whose forearms are drawn 20 degrees forward is read as if they were not."""
    write_bvh(
        tmp_path / "clips" / "walk.bvh", Rig(bind={"left_elbow": about("Y", 20), "left_wrist": about("Y", 20)}), *motion
    )
    joints = {name: name for name in JOINT_NAMES}
    (tmp_path / "table.json").write_text(json.dumps({"joints": joints, "straight": ["side_elbow", "side_wrist"]}))
    bent = directions(read_one(tmp_path / "clips", table=tmp_path / "table.json")["joints"], LIMBS)
    (tmp_path / "table.json").write_text(json.dumps({"joints": joints}))
    drawn = directions(read_one(tmp_path / "clips", table=tmp_path / "table.json")["joints"], LIMBS)
    assert np.allclose(degrees_apart(bent, drawn)[:, LIMBS.index(("left_elbow", "left_wrist"))], 20, atol=0.1)
    assert degrees_apart(bent, drawn)[:, LIMBS.index(("left_shoulder", "left_elbow"))].max() < 0.1


TWO_JOINTS = """HIERARCHY
ROOT a b
{
  OFFSET 0 0 0
  CHANNELS 6 Xposition Zposition Yposition %s
  JOINT tip {
    OFFSET 0 1 0
    CHANNELS 3 Xrotation Yrotation Zrotation
    End site
    { OFFSET 0 2 0 }
  }
}
MOTION
Frames: 2
Frame Time: 0.04
1 2 3 90 90 0 0 0 0
1 2 3 0 0 0 0 0 0
"""


@pytest.mark.parametrize(
    ("order", "tip"),
    [
        # (0, 1, 0) turned about X is (0, 0, 1), which a turn about Z leaves alone
        ("Zrotation Xrotation Yrotation", [0, 0, 1]),
        # (0, 1, 0) turned about Z is (-1, 0, 0), which a turn about X leaves alone
        ("Xrotation Zrotation Yrotation", [-1, 0, 0]),
    ],
)
def test_channels_turn_in_the_order_they_are_written(order: str, tip: list[float], tmp_path: Path) -> None:
    (tmp_path / "two.bvh").write_text(TWO_JOINTS % order)
    file = read_bvh_file(tmp_path / "two.bvh")
    assert file.names == ("a_b", "tip")
    assert file.frame_time == pytest.approx(0.04)
    assert np.allclose(file.world_positions[0, 0], [1, 3, 2])
    assert np.allclose(file.world_positions[0, 1] - file.world_positions[0, 0], tip)
    assert np.allclose(file.ends[1], [0, 2, 0])


def spoiled() -> Iterator[tuple[str, Any, str]]:
    yield "cut off", lambda text: text[: len(text) * 2 // 3], "cut off"
    yield "cut in a line", lambda text: text.rstrip()[:-30], "cut off"
    yield "cut in the hierarchy", lambda text: text[:900], "breaks off"
    yield "not finite", lambda text: re.sub(r"(Frame Time: .*\n)\S+", r"\1nan", text), "not finite"
    yield "words", lambda text: re.sub(r"(Frame Time: .*\n)\S+", r"\1x", text), "cannot be read"
    yield "no frames", lambda text: text.split("Frames:")[0] + "Frames: 0\nFrame Time: 0.03\n", "no frames"
    yield "no time", lambda text: text.replace("Frame Time: 0.0333333", "Frame Time: 0"), "frame time"
    yield "another format", lambda text: "ply\n" + text, "HIERARCHY"
    yield "nothing", lambda text: "", "HIERARCHY"
    yield "unknown skeleton", lambda text: text.replace("left_knee", "tail"), "no table knows.*tail.*sides"


@pytest.mark.parametrize(("spoil", "reason"), [case[1:] for case in spoiled()], ids=[case[0] for case in spoiled()])
def test_a_broken_file_is_explained_and_the_others_are_read(
    spoil: Any, reason: str, motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    write_bvh(tmp_path / "good.bvh", Rig(), *motion)
    (tmp_path / "bad.bvh").write_text(spoil((tmp_path / "good.bvh").read_text()))
    told: list[str] = []
    clips = list(read_bvh(tmp_path, told.append))
    assert [clip["name"] for clip in clips] == ["good"]
    assert re.search(f"bad.bvh is left out: .*{reason}", told[0])


def test_names_in_another_encoding_are_no_obstacle(motion: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    path = tmp_path / "춤 추기 🕺.BVH"
    write_bvh(path, Rig(names={name: name for name in JOINT_NAMES} | {"left_hand": "왼손"}), *motion)
    path.write_bytes(path.read_text(encoding="utf-8").encode("cp949"))
    assert read_one(tmp_path)["action"] == "춤 추기 🕺"


@pytest.mark.parametrize(
    ("path", "actor"),
    [
        ("all_asfamc/07_12.bvh", "07"),
        ("walk1_subject3.bvh", "subject3"),
        ("김민수/걷기.bvh", "김민수"),
        ("anna/2024.bvh", "anna"),
    ],
)
def test_the_actor_is_told_by_the_name_or_the_folder(
    path: str, actor: str, motion: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    write_bvh(tmp_path / path, Rig(), *motion)
    assert read_one(tmp_path)["actor"] == actor


def test_the_feet_stand_on_the_floor(motion: tuple[np.ndarray, np.ndarray], tmp_path: Path) -> None:
    """A file whose person floats two metres high; the sole of the lowest foot comes to y = 0."""
    write_bvh(tmp_path / "walk.bvh", Rig(), np.tile(np.eye(3), (FRAMES, 24, 1, 1)), motion[1] + [0, 2, 0])
    clip = read_one(tmp_path)
    sole = open_body().v_template[:, 1].min()
    assert np.allclose(clip["joints"][:, JOINT["left_ankle"], 1], REST[JOINT["left_ankle"], 1] - sole, atol=1e-3)


def test_a_missing_package_is_named(
    motion: tuple[np.ndarray, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bvh(tmp_path / "walk.bvh", Rig(), *motion)
    monkeypatch.setitem(sys.modules, "pymotion.io.bvh", None)
    with pytest.raises(TrainingDataError, match="pip install upc-pymotion"):
        list(read_bvh(tmp_path, print))


def test_a_folder_without_bvh_files_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TrainingDataError, match="No BVH file"):
        list(read_bvh(tmp_path, print))
