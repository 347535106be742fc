// From MediaPipe's landmarks to the lifter's input, and small geometry of its output. Pure functions.

/** Focal length in pixels of a picture whose longer side spans fieldOfView degrees. */
export function focalLength(width, height, fieldOfView) {
  return (0.5 * Math.max(width, height)) / Math.tan((0.5 * fieldOfView * Math.PI) / 180);
}

/**
 * The lifter's input: slopes x, y of 24 joints, a Float32Array of 48.
 *
 * landmarks: MediaPipe's 33 points {x, y}, 0..1 of the picture. weights: 24 rows of 33, blazepose_to_joints of the
 * metadata. width, height: the picture in pixels. fieldOfView: degrees across its longer side.
 */
export function slopesFromLandmarks(landmarks, weights, width, height, fieldOfView) {
  const focal = focalLength(width, height, fieldOfView);
  const slopes = new Float32Array(2 * weights.length);
  weights.forEach((row, joint) => {
    let x = 0;
    let y = 0;
    row.forEach((weight, point) => {
      x += weight * (landmarks[point].x - 0.5);
      y += weight * (landmarks[point].y - 0.5);
    });
    slopes[2 * joint] = (x * width) / focal;
    slopes[2 * joint + 1] = (y * height) / focal;
  });
  return slopes;
}

/** The lifter's output (72 numbers) as 24 points [x, y, z], metres, for a person of another stature. */
export function pointsFromOutput(output, stature, modelStature) {
  const scale = stature / modelStature;
  return Array.from({ length: output.length / 3 }, (_, joint) =>
    Array.from(output.slice(3 * joint, 3 * joint + 3), (value) => value * scale),
  );
}

/** Whether all 33 points are there and finite: MediaPipe gives none at all when it sees nobody. */
export function isWholePose(landmarks) {
  return landmarks?.length === 33 && landmarks.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y));
}
