"""Synthetic pairs: a person of random shape moves before a random camera, seen through a detector that errs."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..smpl_assets.skeleton import JOINT_NAMES, mirrored
from .body_points import BodyPoints, body_points, matrix_from_quaternion
from .detector_noise import DetectorNoise, hidden_limbs
from .motion_set import MotionSet, Shards
from .views import virtual_views

UPPER_BODY = (3, 6, 9, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23)
LIMBS = ((13, 16, 18, 20, 22), (14, 17, 19, 21, 23), (1, 4, 7, 10), (2, 5, 8, 11))


@dataclass(frozen=True)
class Augmentation:
    """How far the synthetic world may go from the recorded one. Angles in degrees.

    rate frames a second; recombine, recombine_limb share of people whose upper body, or each limb, is another's;
    shape spread of the betas; bone_length spread of the logarithm of each bone's length beyond them.
    """

    rate: tuple[float, float] = (15.0, 60.0)
    speed: tuple[float, float] = (0.5, 2.0)
    recombine: float = 0.25
    recombine_limb: float = 0.05
    joint_turn: float = 5.0
    lean: float = 4.0
    tumble: float = 0.03
    shape: float = 1.0
    bone_length: float = 0.03
    usual_elevation: tuple[float, float] = (7.0, 13.0)
    free_elevation: float = 0.25
    roll: float = 5.0
    apparent_height: tuple[float, float] = (9.0, 62.0)
    field_of_view: tuple[float, float] = (25.0, 80.0)
    focal_error: float = 0.12


@dataclass(frozen=True)
class Batch:
    """Inputs and truth of B windows of T frames.

    features (B, T, 100); target (B, T, 38, 3) joints, ends (units of stature, pelvis at 0) and up, virtual camera
    axes; stature (B,) metres; seen (B, T) frames with any point; rotation (B, T, 3, 3) camera_from_virtual; fps (B,).
    For other lifters than ours: rays (B, T, 33, 2) slopes and confidence (B, T, 33) as the detector gave them; joints
    (B, T, 24, 3) metres from the pelvis and root (B, T, 3) metres, camera axes; image (B, 2) half the picture in
    slopes; world_from_camera (B, 3, 3) to the axes of the recording; clip (B,) row of the motion set.
    """

    features: Tensor
    target: Tensor
    stature: Tensor
    seen: Tensor
    rotation: Tensor
    fps: Tensor
    rays: Tensor
    confidence: Tensor
    joints: Tensor
    root: Tensor
    image: Tensor
    world_from_camera: Tensor
    clip: Tensor


class PairMaker:
    """Draws batches from a motion set. The same seed gives the same batches on one device."""

    def __init__(
        self,
        motions: MotionSet,
        seed: int,
        *,
        augmentation: Augmentation | None = None,
        noise: DetectorNoise | None = None,
        device: torch.device | str = "cpu",
    ) -> None:
        self.augmentation = augmentation or Augmentation()
        self.noise = noise or DetectorNoise()
        self.device = torch.device(device)
        self.points: BodyPoints = body_points(device)
        self.random = torch.Generator(device=device).manual_seed(seed)
        self.quaternions, self.pelvis = self._held(motions.quaternions), self._held(motions.pelvis)
        self.start = torch.as_tensor(motions.start, device=device)
        self.length = torch.as_tensor(motions.length, device=device)
        self.fps = torch.as_tensor(motions.fps, device=device, dtype=torch.float32)
        self.mirror = torch.as_tensor(mirrored(JOINT_NAMES), device=device)

    def batch(self, count: int, frames: int) -> Batch:
        """``count`` windows of ``frames`` frames."""
        clip, quaternions, pelvis, fps = self._windows(count, frames)
        quaternions = self._recombined(quaternions)
        rotations = matrix_from_quaternion(quaternions) @ self._joint_turns(count)
        betas = self._normal(count, 10) * self.augmentation.shape
        bones = torch.exp(self._mirror_equal(self._normal(count, 24)) * self.augmentation.bone_length)
        stature = self.points.stature(betas, bones)
        to_camera, up, offset, image = self._cameras(count, stature)
        rotations = torch.cat([(to_camera[:, None] @ rotations[:, :, 0])[:, :, None], rotations[:, :, 1:]], 2)
        joints, keypoints, ends = self.points.posed(rotations, betas, bones)
        travel = (pelvis - pelvis.mean(1, keepdim=True)) @ to_camera.mT
        root = travel * (stature / 1.7)[:, None, None] + offset[:, None]
        depth = (keypoints + root[:, :, None])[..., 2:].clamp_min(0.15)
        rays = (keypoints + root[:, :, None])[..., :2] / depth
        hidden = hidden_limbs(joints)
        rays, confidence = self.noise.seen(rays, hidden, image, fps, self.random)
        rays = rays * torch.exp(self._normal(count, 1, 1, 1) * self.augmentation.focal_error)
        features, rotation = virtual_views(rays, confidence, fps)
        points = torch.cat([joints, ends], 2) / stature[:, None, None, None]
        target = torch.cat([points, up[:, None, None].expand(-1, frames, 1, 3)], 2) @ rotation
        return Batch(
            features=features,
            target=target,
            stature=stature,
            seen=(confidence > 0).any(2),
            rotation=rotation,
            fps=fps,
            rays=rays,
            confidence=confidence,
            joints=joints,
            root=root,
            image=image,
            world_from_camera=to_camera.mT,
            clip=clip,
        )

    def _held(self, frames: NDArray[np.float32] | Shards) -> Tensor | Shards:
        """Frames on the device, or where they lie on disk."""
        return frames if isinstance(frames, Shards) else torch.as_tensor(frames, device=self.device)

    def _take(self, frames: Tensor | Shards, index: Tensor) -> Tensor:
        if isinstance(frames, Shards):
            return torch.from_numpy(frames[index.cpu().numpy()]).to(self.device)
        return frames[index]

    def _uniform(self, low: float, high: float, *shape: int) -> Tensor:
        return low + (high - low) * torch.rand(*shape, generator=self.random, device=self.device)

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self.random, device=self.device)

    def _windows(self, count: int, frames: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Clip (B,), quaternions (B, T, 24, 4), pelvis (B, T, 3), fps (B,); random speeds and rates, half mirrored."""
        clip = torch.multinomial(self.length.float(), count, replacement=True, generator=self.random)
        fps = self._uniform(*self.augmentation.rate, count)
        speed = torch.exp(self._uniform(*np.log(self.augmentation.speed), count))
        room = (self.length[clip] - 1).float()
        step = (speed * self.fps[clip] / fps).minimum(room / (frames - 1))
        first = self._uniform(0, 1, count) * (room - step * (frames - 1))
        position = first[:, None] + step[:, None] * torch.arange(frames, device=self.device)
        below = position.floor().long().minimum((room[:, None] - 1).long().clamp_min(0))
        part = (position - below)[..., None]
        index = self.start[clip][:, None] + below
        pelvis = torch.lerp(self._take(self.pelvis, index), self._take(self.pelvis, index + 1), part)
        before, after = self._take(self.quaternions, index), self._take(self.quaternions, index + 1)
        quaternions = torch.lerp(before, after, part[..., None])
        quaternions = quaternions / quaternions.norm(dim=-1, keepdim=True)
        flip = (torch.rand(count, generator=self.random, device=self.device) < 0.5)[:, None, None]
        other = quaternions[:, :, self.mirror] * quaternions.new_tensor([1.0, 1.0, -1.0, -1.0])
        mirrored_pelvis = pelvis * pelvis.new_tensor([-1.0, 1.0, 1.0])
        quaternions = torch.where(flip[..., None], other, quaternions)
        return clip, quaternions, torch.where(flip, mirrored_pelvis, pelvis), fps

    def _recombined(self, quaternions: Tensor) -> Tensor:
        """Give some people the upper body of another, and some a single limb of a third."""
        mixed = self._with_parts(quaternions, 1, UPPER_BODY, self.augmentation.recombine)
        for other, limb in enumerate(LIMBS, 2):
            mixed = self._with_parts(mixed, other, limb, self.augmentation.recombine_limb)
        return mixed

    def _with_parts(self, quaternions: Tensor, other: int, joints: tuple[int, ...], share: float) -> Tensor:
        """``share`` of the people get ``joints`` of the one who stands ``other`` places before."""
        take = torch.rand(len(quaternions), generator=self.random, device=self.device) < share
        mixed = quaternions.clone()
        mixed[:, :, joints] = torch.where(take[:, None, None, None], quaternions.roll(other, 0), quaternions)[
            :, :, joints
        ]
        return mixed

    def _mirror_equal(self, values: Tensor) -> Tensor:
        """Values (B, 24) with the left side's on the right."""
        left = torch.arange(24, device=self.device).minimum(self.mirror)
        return values[:, left]

    def _joint_turns(self, count: int) -> Tensor:
        """Small constant turns (B, 1, 24, 3, 3) of every joint: other builds, habits and capture errors."""
        half = self._normal(count, 24, 3) * np.radians(self.augmentation.joint_turn) / 2
        half[:, 0] = 0
        quaternion = torch.cat([torch.ones_like(half[..., :1]), half], -1)
        return matrix_from_quaternion(quaternion / quaternion.norm(dim=-1, keepdim=True))[:, None]

    def _cameras(self, count: int, stature: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """camera_from_body (B, 3, 3), the world's up (B, 3) in the camera, the person's place (B, 3) m, and half the
        picture (B, 2) in slopes."""
        set_ = self.augmentation
        free = torch.rand(count, generator=self.random, device=self.device) < set_.free_elevation
        usual = set_.usual_elevation[0] + set_.usual_elevation[1] * self._normal(count)
        elevation = torch.where(free, self._uniform(-30, 75, count), usual).clamp(-60, 80)
        lean = torch.where(
            (torch.rand(count, generator=self.random, device=self.device) < set_.tumble)[:, None],
            self._uniform(-180, 180, count, 2),
            self._normal(count, 2) * set_.lean,
        )
        person = _about("x", lean[:, 0]) @ _about("z", lean[:, 1]) @ _about("y", self._uniform(0, 360, count))
        height_angle = torch.exp(self._uniform(*np.log(set_.apparent_height), count))
        distance = stature / (2 * torch.tan(torch.deg2rad(height_angle) / 2))
        fov = self._uniform(*set_.field_of_view, count)
        shape = torch.tensor([[1, 9 / 16], [9 / 16, 1], [1, 1], [1, 3 / 4]], device=self.device)
        pick = torch.randint(4, (count,), generator=self.random, device=self.device)
        half = torch.tan(torch.deg2rad(fov) / 2)[:, None] * shape[pick]
        place = self._uniform(-0.75, 0.75, count, 2) * half
        ray = torch.cat([place, torch.ones_like(place[:, :1])], -1)
        offset = ray / ray.norm(dim=-1, keepdim=True) * distance[:, None]
        aim = _about("y", torch.rad2deg(torch.atan(place[:, 0]))) @ _about("x", -torch.rad2deg(torch.atan(place[:, 1])))
        flip = torch.diag(torch.tensor([1.0, -1.0, -1.0], device=self.device))  # Y up to OpenCV's axes
        tilt = _about("z", self._normal(count) * set_.roll) @ aim @ _about("x", elevation) @ flip
        return tilt @ person, tilt[:, :, 1], offset, half


def _about(axis: str, degrees: Tensor) -> Tensor:
    """Rotations (B, 3, 3) about a coordinate axis."""
    c, s = torch.cos(torch.deg2rad(degrees)), torch.sin(torch.deg2rad(degrees))
    zero, one = torch.zeros_like(c), torch.ones_like(c)
    rows = {
        "x": [one, zero, zero, zero, c, -s, zero, s, c],
        "y": [c, zero, s, zero, one, zero, -s, zero, c],
        "z": [c, -s, zero, s, c, zero, zero, zero, one],
    }[axis]
    return torch.stack(rows, -1).reshape(-1, 3, 3)
