// MediaPipe's pose landmarker: 33 points of the most visible person.

import { FilesetResolver, PoseLandmarker } from "./node_modules/@mediapipe/tasks-vision/vision_bundle.mjs";

const here = (path) => new URL(path, import.meta.url).href;
// The project's own copy: it lies beside the other networks and is not shipped twice.
const MODEL = here("../../lifter/models/pose_landmarker_full.task");

/** Load the landmarker. detect(picture) gives 33 points {x, y, z, visibility}, x and y 0..1, or undefined. */
export async function loadDetector() {
  const files = await FilesetResolver.forVisionTasks(here("./node_modules/@mediapipe/tasks-vision/wasm"));
  const landmarker = await PoseLandmarker.createFromOptions(files, {
    baseOptions: { modelAssetPath: MODEL, delegate: "CPU" },
    runningMode: "VIDEO",
    numPoses: 1,
  });
  return { detect: (picture) => landmarker.detectForVideo(picture, performance.now()).landmarks[0] };
}
