"""What the lifter is evaluated on, by name. People and cameras are the same in all cases."""

from dataclasses import replace

from .detector_noise import DetectorNoise, fitted_figures
from .held_out import Case, Lens
from .synthesis import Augmentation

# Cameras and shapes stay random; the motion is played as recorded.
AS_RECORDED = Augmentation(
    rate=(30.0, 30.0),
    speed=(1.0, 1.0),
    recombine=0.0,
    recombine_limb=0.0,
    joint_turn=0.0,
    lean=0.0,
    tumble=0.0,
    bone_length=0.0,
    focal_error=0.0,
)
NOISY = DetectorNoise.as_measured(fitted_figures())
CLEAN = DetectorNoise(strength=0.0)
CASES: dict[str, Case] = {
    "noisy": Case(AS_RECORDED, NOISY),
    "clean": Case(AS_RECORDED, CLEAN),
    "noisy_as_in_training": Case(AS_RECORDED, DetectorNoise()),
    "missing_30_percent": Case(AS_RECORDED, replace(NOISY, missing=0.3)),
    "focal_length_guessed": Case(replace(AS_RECORDED, focal_error=0.12), NOISY),
    "normal_lens": Case(AS_RECORDED, NOISY, Lens((25.0, 80.0))),
    "wide_lens": Case(AS_RECORDED, NOISY, Lens((80.0, 100.0))),
    "wide_lens_same_framing": Case(AS_RECORDED, NOISY, Lens((80.0, 100.0), same_framing=True)),
    "tele_lens_same_framing": Case(AS_RECORDED, NOISY, Lens((10.0, 25.0), same_framing=True)),
}
