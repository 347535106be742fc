"""Errors gathered batch by batch, then told as means over all frames."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..smpl_assets.skeleton import JOINT_NAMES
from .metrics import acceleration_error, auc, joint_distances, mpjpe, n_mpjpe, pa_mpjpe, pck, velocity_error
from .synthesis import Batch

MILLIMETRES = 1000.0
WRONG_HEIGHTS = {"height_10_percent_low": 0.9, "height_10_percent_high": 1.1}


class ErrorTally:
    """Errors of one method in one case. Every frame counts the same."""

    def __init__(self) -> None:
        self.frames: dict[str, list[NDArray[np.floating]]] = {}

    def add(self, points: Tensor, batch: Batch) -> None:
        """points (B, T, 24 or more, 3): metres, camera axes; from row 24 on ends, and last the direction of up."""
        predicted = points[:, :, :24].double().cpu().numpy()
        truth = batch.joints.double().cpu().numpy()
        distances = joint_distances(predicted, truth)
        self._keep("distances", distances.reshape(-1, 24))
        self._keep("clip", np.repeat(batch.clip.cpu().numpy(), predicted.shape[1]))
        self._keep("n_mpjpe_mm", n_mpjpe(predicted, truth))
        self._keep("pa_mpjpe_mm", pa_mpjpe(predicted, truth))
        self._keep("mpjve_mm_per_frame", velocity_error(predicted, truth))
        self._keep("acceleration_mm_per_frame2", acceleration_error(predicted, truth))
        for name, factor in WRONG_HEIGHTS.items():
            self._keep(f"mpjpe_{name}_mm", mpjpe(factor * predicted, truth))
        if points.shape[2] > 24:
            self._add_ends_and_up(points[:, :, 24:], batch)

    def _add_ends_and_up(self, points: Tensor, batch: Batch) -> None:
        truth = batch.target[:, :, 24:] @ batch.rotation.mT  # ends in statures, then up; camera axes
        ends = points[:, :, :-1] - truth[:, :, :-1] * batch.stature[:, None, None, None]
        self._keep("ends_mm", ends.norm(dim=-1).mean(-1).cpu().numpy())
        turn = up_errors(points[:, :, -1], truth[:, :, -1])
        self._keep("up_degrees", turn.repeat_interleave(points.shape[1]).cpu().numpy())

    def _keep(self, name: str, values: NDArray[np.floating]) -> None:
        self.frames.setdefault(name, []).append(values if name == "distances" else values.ravel())

    def _all(self, name: str) -> NDArray[np.floating]:
        return np.concatenate(self.frames[name])

    def means(self) -> dict[str, float]:
        """Means over frames: millimetres, mm a frame, mm a frame squared, percent, degrees."""
        distances = self._all("distances")
        row = {"mpjpe_mm": MILLIMETRES * float(distances.mean())}
        for name in self.frames:
            if name not in ("distances", "clip"):
                unit = MILLIMETRES if "mm" in name else 1.0
                row[name] = unit * float(self._all(name).mean())
        row |= {"pck_150_percent": pck(distances), "auc_150_percent": auc(distances)}
        return {name: round(value, 2) for name, value in row.items()}

    def by_joint(self) -> dict[str, dict[str, float]]:
        """MPJPE and PCK of every joint but the root, which is zero."""
        distances = self._all("distances")
        return {name: _figures(distances[:, joint]) for joint, name in enumerate(JOINT_NAMES) if joint > 0}

    def by_action(self, actions: NDArray[np.str_]) -> dict[str, dict[str, Any]]:
        """MPJPE and PCK of every action; actions (C,) names one per clip."""
        distances, action = self._all("distances"), actions[self._all("clip").astype(np.int64)]
        return {
            str(name): {**_figures(distances[action == name]), "frames": int((action == name).sum())}
            for name in np.unique(action)
        }


def _figures(distances: NDArray[np.floating]) -> dict[str, float]:
    return {"mpjpe_mm": round(MILLIMETRES * float(distances.mean()), 1), "pck_150_percent": round(pck(distances), 1)}


def up_errors(predicted: Tensor, truth: Tensor) -> Tensor:
    """Angle (B,) in degrees between the world's up as seen over a whole window, (B, T, 3) each."""
    cosine = torch.nn.functional.cosine_similarity(predicted.mean(1), truth.mean(1), dim=-1)
    return torch.rad2deg(torch.acos(cosine.clamp(-1, 1)))
