import numpy as np
from reel2rig.lifter.virtual_camera import FEATURES, rays_from_pixels, virtual_view
from reel2rig.smpl_assets.rotation import Array, matrix_from_axis_angle

FPS = 30.0
SEEN = np.ones((20, 33))


def person(seed: int = 0) -> Array:
    """33 points (20, 33, 3) of a moving person 4 m before the camera, in the camera frame."""
    random = np.random.default_rng(seed)
    body = random.normal(0, [0.25, 0.5, 0.15], (33, 3))
    return body + np.linspace([-0.2, 0.0, 4.0], [0.2, 0.1, 4.2], 20)[:, None]


def slopes(points: Array) -> Array:
    return points[..., :2] / points[..., 2:]


def test_rays_are_slopes_from_the_principal_point() -> None:
    K = np.array([[1000.0, 0.0, 640.0], [0.0, 500.0, 360.0], [0.0, 0.0, 1.0]])
    found = rays_from_pixels(np.array([[640.0, 360.0], [1140.0, 360.0], [640.0, 110.0]]), K)
    np.testing.assert_allclose(found, [[0.0, 0.0], [0.5, 0.0], [0.0, -0.5]])


def test_features_are_two_slopes_and_a_confidence_for_each_point_and_the_size() -> None:
    view = virtual_view(slopes(person()), 0.7 * SEEN, FPS)
    assert view.features.shape == (20, FEATURES)
    np.testing.assert_allclose(view.features[:, 66:99], 0.7, atol=1e-6)


def test_the_axis_goes_through_the_person() -> None:
    points = person()
    view = virtual_view(slopes(points), SEEN, FPS)
    core = slopes(points)[:, [11, 12, 23, 24]].mean(axis=1)
    axis = view.camera_from_virtual[:, :, 2]
    assert np.abs(slopes(axis) - core).max() < 0.05
    inside = view.features[:, :66].reshape(20, 33, 2)
    assert np.abs(inside[:, [11, 12, 23, 24]].mean(axis=1)).max() < 0.5


def test_turning_the_camera_changes_the_view_by_a_roll_at_most() -> None:
    points = person()
    turn = matrix_from_axis_angle(np.array([0.0, 0.25, 0.0]))
    still, turned = (virtual_view(slopes(p), SEEN, FPS) for p in (points, points @ turn.T))
    shape = [v.features[:, :66].reshape(20, 33, 2) for v in (still, turned)]
    lengths = [np.linalg.norm(each, axis=-1) for each in shape]
    np.testing.assert_allclose(lengths[1], lengths[0], atol=0.15)
    np.testing.assert_allclose(turned.features[:, -1], still.features[:, -1], atol=0.05)


def test_a_person_twice_as_large_and_as_far_looks_the_same() -> None:
    one, other = (virtual_view(slopes(scale * person()), SEEN, FPS) for scale in (1, 2))
    np.testing.assert_allclose(other.features, one.features, atol=1e-6)


def test_going_back_shows_in_the_size_alone_but_for_perspective() -> None:
    flat = np.random.default_rng(1).normal(0, 0.4, (33, 2)) * np.ones((20, 1, 1))
    near = virtual_view(flat / 4, SEEN, FPS)
    far = virtual_view(flat / 8, SEEN, FPS)
    np.testing.assert_allclose(near.features[0, -1] - far.features[0, -1], np.log(2), atol=0.02)
    np.testing.assert_allclose(near.features[:, :66], far.features[:, :66], atol=0.1)


def test_who_is_very_far_away_is_seen_like_the_farthest_of_training() -> None:
    flat = np.random.default_rng(1).normal(0, 0.4, (33, 2)) * np.ones((20, 1, 1))
    far, farther = (virtual_view(flat / distance, SEEN, FPS) for distance in (50, 100))
    np.testing.assert_allclose(far.features[:, -1], np.log(0.04), atol=1e-6)
    np.testing.assert_allclose(farther.features, far.features, atol=0.01)


def test_missing_points_neither_show_nor_move_the_view() -> None:
    rays, confidence = slopes(person()), SEEN.copy()
    confidence[:, 15:17] = 0.0
    wild = rays.copy()
    wild[:, 15:17] += 1.0
    calm, shaken = (virtual_view(each, confidence, FPS) for each in (rays, wild))
    assert (shaken.features[:, 30:34] == 0).all()
    np.testing.assert_allclose(shaken.features, calm.features, atol=0.01)


def test_the_view_turns_points_rigidly() -> None:
    turn = virtual_view(slopes(person()), SEEN, FPS).camera_from_virtual
    np.testing.assert_allclose(turn @ np.swapaxes(turn, -1, -2), np.broadcast_to(np.eye(3), turn.shape), atol=1e-9)


def test_a_frame_in_which_nothing_is_seen_is_finite() -> None:
    confidence = SEEN.copy()
    confidence[5:8] = 0.0
    assert np.isfinite(virtual_view(slopes(person()), confidence, FPS).features).all()
    assert np.isfinite(virtual_view(np.zeros((1, 33, 2)), np.zeros((1, 33)), FPS).features).all()
