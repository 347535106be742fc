// What to tell a person when something does not work: what happened, and what to do.

const CAMERA = {
  NotAllowedError: "The browser may not use the camera. Allow it in the address bar and press Camera again.",
  NotFoundError: "No camera was found. Connect one, or choose a video.",
  NotReadableError: "The camera is in use by another program. Close that and press Camera again.",
};

/** For a camera that could not be opened. */
export function aboutCamera(error) {
  return CAMERA[error.name] ?? `The camera could not be opened (${error.message}). Choose a video instead.`;
}

/** For a file that the browser cannot play. */
export function aboutFile(name) {
  return `“${name}” cannot be played here. Choose a video that this browser knows: MP4 (H.264) or WebM.`;
}

/** For parts of the page that did not load. */
export function aboutLoading(part, error) {
  return (
    `The ${part} did not load (${error.message ?? error}). Run “npm ci” in examples/browser, serve the project's folder ` +
    "(npm start), and open http://127.0.0.1:8000/examples/browser/ in a browser from 2024 or later."
  );
}

export const NOBODY = "Nobody is seen. The whole body should be in view, not too far away, in good light.";
