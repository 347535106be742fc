// Draws points on the video and a skeleton in space, on plain 2D canvases.

const COLOURS = { left: "#e5484d", right: "#3e8ef7", middle: "#d9b44a" };
const GRID = { colour: "#39424e", half: 1, step: 0.5 }; // metres
const AXES = [
  { name: "x", to: [0.4, 0, 0], colour: "#e5484d" },
  { name: "up", to: [0, -0.4, 0], colour: "#46a758" },
  { name: "away", to: [0, 0, 0.4], colour: "#3e8ef7" },
];
const FLOOR = 0.9; // metres below the middle of the scene
const AIM = 0.15; // metres below it, where the eye looks
const DISTANCE = 4.5; // metres from the eye to the person
const LENS = 1.85; // focal length in units of the canvas' smaller side

/** Colour of a joint by the side its name tells. */
function colourOf(name) {
  return COLOURS[name.split("_")[0]] ?? COLOURS.middle;
}

/** Clear a canvas, matching its pixels to its size on the page. Returns its 2D context. */
function cleared(canvas) {
  const scale = window.devicePixelRatio || 1;
  canvas.width = Math.round(canvas.clientWidth * scale);
  canvas.height = Math.round(canvas.clientHeight * scale);
  return canvas.getContext("2d");
}

/** Show the video's present frame on a canvas of its own size. */
export function drawFrame(canvas, video) {
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext("2d").drawImage(video, 0, 0);
}

/** Dots for points {x, y}, 0..1 of the canvas, over what it shows. */
export function drawLandmarks(canvas, landmarks) {
  const context = canvas.getContext("2d");
  context.fillStyle = "#7ee787";
  const radius = Math.max(canvas.width, canvas.height) / 220;
  for (const { x, y } of landmarks) disc(context, [x * canvas.width, y * canvas.height], radius);
}

/** Where the eye stands: yaw and pitch in radians, changed by dragging on the canvas. */
export class Orbit {
  constructor(canvas, changed) {
    this.yaw = 0.6;
    this.pitch = 0.25;
    canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      this.yaw += event.movementX * 0.01;
      this.pitch = Math.min(1.5, Math.max(-0.1, this.pitch + event.movementY * 0.01));
      changed();
    });
  }

  /** A point (camera axes, metres from the middle of the scene) on a canvas of this size, in pixels. */
  project([x, y, z], width, height) {
    const [cy, sy, cp, sp] = [Math.cos(this.yaw), Math.sin(this.yaw), Math.cos(this.pitch), Math.sin(this.pitch)];
    const [sideways, down, away] = [cy * x + sy * z, y - AIM, cy * z - sy * x];
    const scale = (LENS * Math.min(width, height)) / (DISTANCE + cp * away + sp * down);
    return [width / 2 + scale * sideways, height / 2 + scale * (cp * down - sp * away)];
  }
}

/**
 * Floor, axes and skeleton. points: 24 of [x, y, z] in camera axes, metres, or null for the empty room.
 * The person is put with the lowest joint on the floor.
 */
export function drawScene(canvas, orbit, points, names, parents) {
  const context = cleared(canvas);
  const onCanvas = (point) => orbit.project(point, canvas.width, canvas.height);
  const floor = points ? Math.max(...points.map(([, y]) => y)) : FLOOR;
  const drop = FLOOR - floor;
  for (let at = -GRID.half; at <= GRID.half + 1e-6; at += GRID.step) {
    line(context, onCanvas([at, FLOOR, -GRID.half]), onCanvas([at, FLOOR, GRID.half]), GRID.colour, 1);
    line(context, onCanvas([-GRID.half, FLOOR, at]), onCanvas([GRID.half, FLOOR, at]), GRID.colour, 1);
  }
  drawAxes(context, onCanvas);
  if (!points) return;
  const placed = points.map(([x, y, z]) => onCanvas([x, y + drop, z]));
  const thickness = Math.min(canvas.width, canvas.height) / 110;
  parents.forEach((parent, joint) => {
    if (parent >= 0) line(context, placed[parent], placed[joint], colourOf(names[joint]), thickness);
  });
  placed.forEach((point, joint) => {
    context.fillStyle = colourOf(names[joint]);
    disc(context, point, thickness * 0.8);
  });
}

function drawAxes(context, onCanvas) {
  const corner = [-GRID.half, FLOOR, -GRID.half];
  for (const { name, to, colour } of AXES) {
    const tip = onCanvas(corner.map((value, axis) => value + to[axis]));
    line(context, onCanvas(corner), tip, colour, 2);
    context.fillStyle = colour;
    context.font = `${Math.round(12 * (window.devicePixelRatio || 1))}px sans-serif`;
    context.fillText(name, tip[0] + 4, tip[1] - 2);
  }
}

function line(context, from, to, colour, width) {
  context.strokeStyle = colour;
  context.lineWidth = width;
  context.lineCap = "round";
  context.beginPath();
  context.moveTo(...from);
  context.lineTo(...to);
  context.stroke();
}

function disc(context, [x, y], radius) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fill();
}
