"""The picture of the page in the browser. Needs Chromium, its driver, and `npm ci` in examples/browser.

.venv/bin/python -m reel2rig.docs.make_pictures.browser_page docs/pictures/browser.png
"""

import shutil
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

ROOT = Path(__file__).resolve().parents[2]
FLAGS = ("--headless", "--no-sandbox", "--enable-unsafe-swiftshader", "--window-size=1200,830")
# Waits for the moment when he stands on his left leg and stretches the right one.
STOP = """
const done = arguments[0];
document.addEventListener("pose", ({detail: {points}}) => {
  const [leftAnkle, rightAnkle] = [points[7], points[8]];
  if (leftAnkle[1] - rightAnkle[1] > 0.25) done();
});
document.getElementById("example").click();
"""


def main(path: Path) -> None:
    """Wait for the pose, and save what the window shows."""
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in FLAGS:
        options.add_argument(flag)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=str(ROOT))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with Chrome(options, Service(shutil.which("chromedriver"))) as browser:
            browser.set_script_timeout(120)
            browser.get(f"http://127.0.0.1:{server.server_port}/examples/browser/")
            status = browser.find_element(By.ID, "status")
            WebDriverWait(browser, 120).until(lambda _: status.text.startswith("Ready"))
            browser.execute_async_script(STOP)
            browser.save_screenshot(str(path))
        server.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
