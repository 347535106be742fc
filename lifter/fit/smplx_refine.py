"""Refine a fit by gradient descent through the ``smplx`` package: the second back end, and the yardstick of the first.

Starts from the finished fit, never from a T-pose, where descent gets stuck with twisted limbs. The body goes through
smplx as joints and landmarks only, without the mesh. torch is imported inside functions.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...smpl_assets.body import Body
from ...smpl_assets.landmarks import body_landmarks
from ...smpl_assets.rotation import Array
from ...smpl_assets.skeleton import END_NAMES
from ...smpl_assets.smplx_body import SmplxProxy
from ..keypoint_sets import BLAZEPOSE33
from ..records import Fit, Joints3D, Keypoints
from . import targets_for
from .limits import bounds
from .movement import movement_of_turns
from .record import record
from .shape import BUILD, SEEN_BETAS
from .skeleton import rest_skeleton
from .targets import Spreads, Targets

if TYPE_CHECKING:
    import torch

STEPS = 60
LEARNING_RATE = 0.02  # radians and metres a step at most, falling to nothing
FRAMES_AT_ONCE = 1000  # frames whose skeletons are in memory together
LENGTHS_OF_BONES = set(SEEN_BETAS) - set(BUILD)  # betas that move; a build stays as it was found or set
BETAS_SPREAD = 0.3  # how far betas may leave the start, in the model's standard deviations
# The start is smooth, so its correction must not shake: change of the correction per second.
TURN_RATE = 2.0  # radians
PATH_RATE = 1.2  # metres


def refine_with_smplx(
    found: Fit, joints: Joints3D, body: Body, *, fps: float, keypoints: Keypoints | None, steps: int = STEPS
) -> Fit:
    """Bring ``found`` nearer to joints, ends and 2D keypoints by ``steps`` of Adam over the whole clip at once.

    joints, keypoints: the rows that ``found`` was fitted to (world frame). Betas move a little, alike in all frames.
    The residuals of the result are computed anew; ``found`` itself comes back when the descent explains what was
    given no better. Memory and time are linear in frames. Raises SmplxMissingError.
    """
    descent = _Descent(found, targets_for(joints, keypoints), body, fps)
    before = descent.misfit()
    descent.run(steps)
    if not descent.misfit() < before:
        return found
    poses, trans, betas = (tensor.detach().numpy().astype(np.float64) for tensor in descent.free)
    rest = rest_skeleton(body, betas)
    moved = movement_of_turns(poses.reshape(-1, 24, 3), trans + rest.joints[0])
    return record(rest, moved, betas.astype(np.float32), joints, keypoints)


class _Descent:
    """A clip's poses, path and betas as torch tensors, and how badly they explain the targets."""

    def __init__(self, found: Fit, targets: Targets, body: Body, fps: float) -> None:
        self.proxy = SmplxProxy(body, body_landmarks(body, END_NAMES + BLAZEPOSE33))
        self.targets, self.fps, self.spreads = targets, fps, Spreads()
        self.count = len(found.trans)
        self.start = (_tensor(found.axis_angle.reshape(-1, 72)), _tensor(found.trans), _tensor(found.betas))
        self.free = tuple(tensor.clone().requires_grad_() for tensor in self.start)
        self.start_turns = _rotations(self.start[0])
        self.low, self.high = (_tensor(bound[1:].reshape(69)) for bound in bounds())
        seen = [name in LENGTHS_OF_BONES for name in body.beta_names] if body.beta_names else [True] * len(found.betas)
        mask = _tensor(np.array(seen, float))
        self.free[2].register_hook(lambda gradient: gradient * mask)

    def run(self, steps: int) -> None:
        """Adam on everything; gradients of long clips are summed up part by part, so they are exact."""
        import torch

        optimiser = torch.optim.Adam(self.free, lr=LEARNING_RATE)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            optimiser.zero_grad()
            self._priors().backward()
            for part in self._parts():
                self._misfit(part).backward()
            optimiser.step()
            schedule.step()

    def misfit(self) -> float:
        """How badly joints, ends and keypoints are explained now: mean over frames of robust squares in spreads."""
        import torch

        with torch.no_grad():
            return sum(float(self._misfit(part)) for part in self._parts())

    def _parts(self) -> Iterator[slice]:
        return (slice(first, first + FRAMES_AT_ONCE) for first in range(0, self.count, FRAMES_AT_ONCE))

    def _misfit(self, part: slice) -> "torch.Tensor":
        poses, trans, betas = self.free
        joints, landmarks = self.proxy(poses[part], trans[part], betas)
        ends, points = landmarks[:, : len(END_NAMES)], landmarks[:, len(END_NAMES) :]
        goal, spreads = self.targets, self.spreads
        total = _robust(joints - _tensor(goal.joints[part]), goal.joint_weights[part], spreads.joints, 3)
        total = total + _robust(ends - _tensor(goal.ends[part]), goal.end_weights[part], spreads.ends, 3)
        if goal.rays is not None and goal.ray_weights is not None and goal.world_from_cam is not None:
            camera = _tensor(goal.world_from_cam)
            seen = (points - camera[:3, 3]) @ camera[:3, :3]
            beside = _tensor(goal.rays[part]) * seen[..., 2:].clamp(min=0.2) - seen[..., :2]
            total = total + _robust(beside, goal.ray_weights[part], spreads.keypoints, 4)
        return total / self.count

    def _priors(self) -> "torch.Tensor":
        """Stay near the start, change it smoothly, and keep inside the joints' limits."""
        poses, trans, betas = self.free
        bend = poses[:, 3:]
        over = bend - bend.clamp(self.low, self.high)
        # half the squared difference of two near rotation matrices is the squared angle between them
        turns, shifts = (_rotations(poses) - self.start_turns) / 2**0.5, trans - self.start[1]
        total = (turns / self.spreads.start).square().sum() + (over / self.spreads.limits).square().sum()
        total = total + (turns.diff(dim=0) * (self.fps / TURN_RATE)).square().sum()
        total = total + (shifts.diff(dim=0) * (self.fps / PATH_RATE)).square().sum()
        return total / self.count + ((betas - self.start[2]) / BETAS_SPREAD).square().sum()


def _robust(residual: "torch.Tensor", weights: Array, spread: float, reach: float) -> "torch.Tensor":
    """Cauchy's loss of residuals (T, P, C) in spreads: squares near zero, barely growing beyond ``reach`` spreads."""
    squares = residual.nan_to_num().square().sum(-1) / (reach * spread) ** 2
    return (_tensor(weights) * reach**2 * squares.log1p()).sum()


def _rotations(poses: "torch.Tensor") -> "torch.Tensor":
    """Rotation matrices (T, 24, 3, 3) of poses (T, 72) axis-angle."""
    from smplx import lbs

    rodrigues: Any = lbs.batch_rodrigues  # its type hints name a Tensor of smplx's own
    return rodrigues(poses.reshape(-1, 3)).reshape(-1, 24, 3, 3)


def _tensor(array: Array) -> "torch.Tensor":
    import torch

    return torch.as_tensor(np.asarray(array), dtype=torch.float32)
