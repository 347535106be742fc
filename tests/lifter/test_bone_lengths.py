"""Short bones of an unsure lifter get the body's lengths back; their directions stay."""

from pathlib import Path

import numpy as np
from reel2rig.lifter.bone_lengths import lengthened, with_bone_lengths
from reel2rig.lifter.records import Joints3D, Keypoints, Lifted
from reel2rig.smpl_assets.body import joint_transforms, open_body
from reel2rig.smpl_assets.rotation import matrix_from_axis_angle
from reel2rig.smpl_assets.skeleton import JOINT, PARENTS

PACK = Path(__file__).parents[2] / "training" / "data" / "cmu_pack" / "val_00.npz"


def real_joints(frames: int = 40) -> np.ndarray:
    with np.load(PACK) as pack:
        poses = pack["pose"][:frames].astype(float) * float(pack["pose_scale"])
    body = open_body()
    return joint_transforms(body.joint_template, body.parents, matrix_from_axis_angle(poses), np.zeros((frames, 3)))[1]


def bones(joints: np.ndarray) -> np.ndarray:
    return joints[:, 1:] - joints[:, list(PARENTS[1:])]


def as_lifted(joints: np.ndarray, ends: np.ndarray) -> Lifted:
    count = len(joints)
    times, frames, ids = np.arange(count) / 30, np.arange(count), np.ones(count, np.int64)
    rows = Joints3D(
        joints=joints.astype(np.float32), ends=ends.astype(np.float32), frame="camera", track_id=ids, frames=frames,
        times=times, confidence=np.ones((count, 24), np.float32),
    )  # fmt: skip
    keypoints = Keypoints(
        np.ones((count, 33, 3), np.float32), "blazepose33", ids, ids * 0, frames, times, (64, 64), 30.0, count
    )
    return Lifted(rows, np.tile([0.0, -1.0, 0.0], (count, 1)), keypoints)


def test_exact_joints_are_left_alone() -> None:
    joints = real_joints()
    np.testing.assert_allclose(lengthened(joints, open_body().joint_template, np.ones((40, 24))), joints, atol=1e-4)


def test_a_bone_that_is_always_short_grows_to_its_length_and_keeps_its_direction() -> None:
    truth = real_joints()
    short = truth.copy()
    for joint in (JOINT["left_knee"], JOINT["right_knee"]):
        step = 0.15 * (truth[:, joint] - truth[:, PARENTS[joint]])
        for moved in (joint, *(j for j in range(24) if _is_below(j, joint))):
            short[:, moved] -= step
    np.testing.assert_allclose(
        lengthened(short, open_body().joint_template, np.ones((40, 24)), share=1.0), truth, atol=1e-4
    )


def test_bones_come_half_the_way_to_the_stature_asked_for() -> None:
    body = open_body()
    stature = body.stature(np.zeros(10))
    grown = with_bone_lengths(as_lifted(0.9 * real_joints(), np.zeros((40, 13, 3))), body, stature).joints.joints
    rest = np.linalg.norm(bones(body.joint_template[None]), axis=-1)[0]
    legs = [JOINT[name] - 1 for name in ("left_knee", "left_ankle", "right_knee", "right_ankle")]
    found = np.linalg.norm(bones(grown), axis=-1).mean(axis=0)
    np.testing.assert_allclose(found[legs], np.sqrt(0.9) * rest[legs], rtol=0.02)


def test_ends_go_with_their_joint() -> None:
    joints = 0.93 * real_joints()
    ends = np.repeat(joints[:, [JOINT["left_ankle"]]], 13, axis=1)
    grown = with_bone_lengths(as_lifted(joints, ends), open_body(), 1.7).joints
    heel = grown.ends[:, 5]
    np.testing.assert_allclose(heel, grown.joints[:, JOINT["left_ankle"]], atol=1e-4)


def _is_below(joint: int, ancestor: int) -> bool:
    while joint > 0:
        joint = PARENTS[joint]
        if joint == ancestor:
            return True
    return False
