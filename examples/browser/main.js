// Strings the page together: a source of pictures, the detector, the lifter, the drawings.

import { loadDetector } from "./detector.js";
import { Orbit, drawFrame, drawLandmarks, drawScene } from "./drawing.js";
import { loadLifter } from "./lifter.js";
import { NOBODY, aboutCamera, aboutFile, aboutLoading } from "./messages.js";
import { isWholePose, pointsFromOutput, slopesFromLandmarks } from "./pose.js";

const element = (id) => document.getElementById(id);
const picture = element("picture");
const video = Object.assign(document.createElement("video"), { muted: true, loop: true, playsInline: true });
const scene = element("scene");

let detector;
let lifter;
let points = null;
let seen = -1; // time of the frame looked at last, seconds
let nameOfSource = "";
const orbit = new Orbit(scene, drawPoints);

function say(text, isError = false) {
  element("status").textContent = text;
  element("status").classList.toggle("error", isError);
}

function drawPoints() {
  const { joint_names: names, parents } = lifter?.metadata ?? { joint_names: [], parents: [] };
  drawScene(scene, orbit, points, names, parents);
}

async function load(part, loader) {
  try {
    return await loader();
  } catch (error) {
    say(aboutLoading(part, error), true);
    throw error;
  }
}

/** Find the person in the video's present frame, lift and draw; the event "pose" tells other scripts. */
async function lookAtFrame() {
  const started = performance.now();
  drawFrame(picture, video); // what is drawn is what the detector sees, however long it takes
  const landmarks = detector.detect(picture);
  if (isWholePose(landmarks)) {
    await lift(landmarks);
    say(`${nameOfSource}: ${picture.width} × ${picture.height}, ${Math.round(performance.now() - started)} ms a frame`);
  } else {
    points = null;
    say(NOBODY);
  }
  drawPoints();
}

async function lift(landmarks) {
  const { metadata } = lifter;
  const { width, height } = picture;
  const slopes = slopesFromLandmarks(landmarks, metadata.blazepose_to_joints, width, height, numberIn("fov"));
  points = pointsFromOutput(await lifter.lift(slopes), numberIn("stature"), metadata.output.stature_m);
  drawLandmarks(picture, landmarks);
  scene.dispatchEvent(new CustomEvent("pose", { bubbles: true, detail: { landmarks, slopes, points } }));
}

/** The number in a field; an empty or impossible one counts as the nearest that makes sense. */
function numberIn(id) {
  const { value, min, max, defaultValue } = element(id);
  const number = Number.parseFloat(value);
  return Math.min(Number(max), Math.max(Number(min), Number.isFinite(number) ? number : Number(defaultValue)));
}

/** Look at every new frame, as fast as the machine can. */
async function watch() {
  if (video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA && video.currentTime !== seen) {
    seen = video.currentTime;
    try {
      await lookAtFrame();
    } catch (error) {
      stop();
      say(aboutLoading("pose detection", error), true);
    }
  }
  requestAnimationFrame(watch);
}

function stop() {
  for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  if (video.src) URL.revokeObjectURL(video.src);
  video.srcObject = null;
  video.removeAttribute("src");
  video.load(); // forgets the last frame
  seen = -1;
}

async function openCamera() {
  stop();
  say("Waiting for the camera …");
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } });
    await play("Camera");
  } catch (error) {
    say(aboutCamera(error), true);
  }
}

async function openFile(file, name) {
  stop();
  say(`Opening ${name} …`);
  video.src = URL.createObjectURL(file);
  try {
    await play(name);
  } catch (error) {
    if (error.name !== "AbortError") say(aboutFile(name), true); // aborted: another source was chosen meanwhile
  }
}

async function openExample() {
  const response = await load("example clip", () => fetch(new URL("../balancing.mp4", import.meta.url)));
  await openFile(await response.blob(), "Example");
}

async function play(name) {
  nameOfSource = name;
  await video.play();
}

async function start() {
  drawPoints();
  window.addEventListener("resize", drawPoints);
  say("Loading the networks …");
  [lifter, detector] = await Promise.all([load("lifter", loadLifter), load("pose detector", loadDetector)]);
  element("camera").addEventListener("click", openCamera);
  element("example").addEventListener("click", openExample);
  element("file").addEventListener("change", ({ target }) => {
    if (target.files.length) openFile(target.files[0], target.files[0].name);
  });
  for (const id of ["camera", "example", "file"]) element(id).disabled = false;
  watch();
  say("Ready. Start the camera or choose a video.");
}

start();
