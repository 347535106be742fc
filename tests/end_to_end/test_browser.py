"""examples/browser in headless Chromium: its modules give Python's numbers, and a clip becomes a drawn skeleton.

Selenium drives it because it works with any Chromium and driver that the system brings; others download their own.
"""

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
import pytest
from reel2rig.lifter.keypoint_sets import BLAZEPOSE33
from reel2rig.smpl_assets.skeleton import JOINT, PARENTS
from selenium.webdriver import ActionChains, Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "examples" / "browser"
METADATA = json.loads((PAGE / "pose2d_to_3d_metadata.json").read_text("utf-8"))
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--enable-unsafe-swiftshader",  # MediaPipe needs WebGL, here without a graphics card
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--window-size=1280,900",
]
PATIENCE = 120  # seconds; the networks are large and CI's cores are few
COLOURED = """
const canvas = document.getElementById("scene");
const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
const near = (at, colour) => colour.every((value, channel) => Math.abs(data[at + channel] - value) < 12);
const counts = {left: 0, right: 0};
for (let at = 0; at < data.length; at += 4) {
  counts.left += near(at, [0xe5, 0x48, 0x4d]);
  counts.right += near(at, [0x3e, 0x8e, 0xf7]);
}
return counts;
"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without writing a line for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    if not (PAGE / "node_modules").is_dir():
        pytest.fail("The page's packages are missing. Run: npm ci in examples/browser (python build.py test does it).")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(ROOT))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def page(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    """The page in a browser, its networks loaded; window.poses gathers what it finds."""
    options = ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome", "chrome")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    browser = Chrome(options, Service(program("chromedriver")))
    try:
        browser.set_script_timeout(PATIENCE)
        browser.get(f"{address}/examples/browser/")
        wait_for(lambda: status(browser).startswith("Ready"), browser)
        browser.execute_script("window.poses = []; document.addEventListener('pose', e => poses.push(e.detail));")
        yield browser
    finally:
        browser.quit()


def program(*names: str) -> str:
    """Path of the first of some programs that is installed."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.fail(f"{names[0]} is not installed. On Debian: apt install chromium chromium-driver")
    return found


def status(page: Chrome) -> str:
    return page.find_element(By.ID, "status").text


def wait_for(happened: Callable[[], Any], page: Chrome) -> None:
    end = time.monotonic() + PATIENCE
    while not happened():
        assert time.monotonic() < end, f"The page says: {status(page)}; {page.get_log('browser')[-3:]}"
        time.sleep(0.1)


def choose(page: Chrome, file: Path) -> None:
    page.find_element(By.ID, "file").send_keys(str(file))


def lifted(slopes: np.ndarray) -> np.ndarray:
    """Joints (N, 24, 3) in metres of slopes (N, 24, 2), by ONNX Runtime in Python."""
    session = onnxruntime.InferenceSession(PAGE / METADATA["model"], providers=["CPUExecutionProvider"])
    output = session.run(None, {"input_2d": slopes.reshape(-1, 48).astype(np.float32)})[0]
    return np.asarray(output).reshape(-1, 24, 3)


def film(path: Path, frames: list[np.ndarray]) -> Path:
    """A WebM of pictures (H, W, 3): unlike H.264, every Chromium plays it."""
    with av.open(str(path), "w", format="webm") as container:
        stream = container.add_stream("libvpx", rate=10, options={"deadline": "realtime", "cpu-used": "8"})
        stream.height, stream.width, stream.pix_fmt = *frames[0].shape[:2], "yuv420p"
        stream.bit_rate = 4_000_000
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return path


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The first frames of the demo, at half their size, under a name that is not plain."""
    with av.open(str(ROOT / "examples" / "balancing.mp4")) as container:
        frames = [
            frame.to_ndarray(format="rgb24", width=frame.width // 2, height=frame.height // 2)
            for frame, _ in zip(container.decode(video=0), range(8), strict=False)
        ]
    return film(tmp_path_factory.mktemp("clips") / "균형 잡기 🤸 (1).webm", frames)


@pytest.mark.parametrize(("width", "height", "field_of_view"), [(640, 480, 55), (1088, 1920, 40), (1280, 720, 90)])
def test_landmarks_become_the_joints_that_python_finds(
    page: Chrome, width: int, height: int, field_of_view: float
) -> None:
    random = np.random.default_rng(width)
    landmarks = random.uniform(0.2, 0.8, (4, 1, 2)) + random.normal(0, 0.1, (4, 33, 2))
    script = """
        const [people, width, height, fieldOfView, done] = arguments;
        const {slopesFromLandmarks} = await import("./pose.js");
        const {loadLifter} = await import("./lifter.js");
        const {metadata, lift} = await loadLifter();
        const input = people.flatMap((points) => Array.from(slopesFromLandmarks(
            points.map(([x, y]) => ({x, y})), metadata.blazepose_to_joints, width, height, fieldOfView)));
        return [input, Array.from(await lift(new Float32Array(input)))];
    """
    found = page.execute_script(script, landmarks.tolist(), width, height, field_of_view)
    slopes, joints = np.array(found[0]).reshape(4, 24, 2), np.array(found[1]).reshape(4, 24, 3)
    focal = 0.5 * max(width, height) / np.tan(np.radians(field_of_view / 2))
    expected = np.array(METADATA["blazepose_to_joints"]) @ ((landmarks - 0.5) * np.array([width, height]) / focal)
    np.testing.assert_allclose(slopes, expected, atol=1e-5)
    np.testing.assert_allclose(joints, lifted(expected), atol=1e-4)


def test_a_clip_becomes_a_skeleton_that_is_drawn(page: Chrome, clip: Path) -> None:
    empty = page.execute_script(COLOURED)
    choose(page, clip)
    wait_for(lambda: page.execute_script("return poses.length") >= 3, page)
    pose = page.execute_script("return poses.at(-1)")
    assert clip.name in status(page)
    points = np.array(pose["points"])
    np.testing.assert_allclose(points, lifted(np.array(pose["slopes"]))[0], atol=1e-4)
    drawn = page.execute_script(COLOURED)
    for side in ("left", "right"):
        assert drawn[side] > empty[side] + 300  # pixels

    bones = np.linalg.norm(points[1:] - points[list(PARENTS[1:])], axis=-1)
    assert bones.min() > 0.01
    assert bones.max() < 0.7  # metres
    y = points[:, 1]  # down
    assert y[JOINT["head"]] < y[JOINT["pelvis"]] < y[JOINT["left_knee"]] < y[JOINT["left_ankle"]]
    assert y[JOINT["pelvis"]] < y[JOINT["right_knee"]] < y[JOINT["right_ankle"]]
    for name in ("hip", "shoulder"):  # seen from behind: his left is on the picture's left, in 2D and in 3D
        left, right = (pose["landmarks"][BLAZEPOSE33.index(f"{side}_{name}")]["x"] for side in ("left", "right"))
        assert left < right
        assert points[JOINT[f"left_{name}"], 0] < points[JOINT[f"right_{name}"], 0]


def test_the_height_scales_the_person(page: Chrome, clip: Path) -> None:
    choose(page, clip)
    page.execute_script("poses.length = 0; document.getElementById('stature').value = '0.85'")
    wait_for(lambda: page.execute_script("return poses.length"), page)
    pose = page.execute_script("document.getElementById('stature').value = '1.70'; return poses[0]")
    np.testing.assert_allclose(pose["points"], lifted(np.array(pose["slopes"]))[0] / 2, atol=1e-4)


def test_dragging_turns_the_view(page: Chrome) -> None:
    before = page.execute_script("return document.getElementById('scene').toDataURL()")
    scene = page.find_element(By.ID, "scene")
    ActionChains(page).drag_and_drop_by_offset(scene, 120, 40).perform()
    assert page.execute_script("return document.getElementById('scene').toDataURL()") != before


def test_a_picture_without_anybody_is_told(page: Chrome, tmp_path: Path) -> None:
    choose(page, film(tmp_path / "empty.webm", [np.full((240, 320, 3), 90, np.uint8)] * 10))
    wait_for(lambda: "Nobody is seen" in status(page), page)


def test_what_is_no_video_is_told(page: Chrome, tmp_path: Path) -> None:
    (tmp_path / "notes.mp4").write_text("words")
    choose(page, tmp_path / "notes.mp4")
    wait_for(lambda: "“notes.mp4” cannot be played" in status(page), page)


def test_without_a_camera_it_says_what_to_do(page: Chrome) -> None:
    page.find_element(By.ID, "camera").click()
    wait_for(lambda: "camera" in status(page) and ("Connect one" in status(page) or "Allow it" in status(page)), page)


def test_a_network_that_does_not_load_is_told(page: Chrome) -> None:
    script = 'const {aboutLoading} = await import("./messages.js"); return aboutLoading("lifter", new Error("404"))'
    assert "npm ci" in page.execute_script(script)


def test_nothing_leaves_the_machine(page: Chrome, address: str) -> None:
    """By what the page fetched so far, and by its own rule, which also stops what a package might try."""
    names = page.execute_script("return performance.getEntriesByType('resource').map(({name}) => name)")
    assert len(names) > 8
    assert all(name.startswith((address, f"blob:{address}", "data:")) for name in names)
    script = "return fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')"
    refused = "const seen = new Promise(r => addEventListener('securitypolicyviolation', e => r(e.blockedURI)));"
    assert page.execute_script(f"{refused} {script.replace('return', 'await')}; return await seen") == (
        "http://127.0.0.1:9/"
    )
