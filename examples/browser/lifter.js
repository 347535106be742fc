// The 2D-to-3D network, run by ONNX Runtime Web on the CPU.

import * as ort from "./node_modules/onnxruntime-web/dist/ort.wasm.min.mjs";

const here = (path) => new URL(path, import.meta.url).href;

// One thread: more would need a server that sends cross-origin isolation headers, and a frame takes about 1 ms.
ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = here("./node_modules/onnxruntime-web/dist/");

/** Load the model and its metadata. lift(slopes) takes N * 48 numbers and resolves to N * 72, in metres. */
export async function loadLifter() {
  const metadata = await (await fetched("./pose2d_to_3d_metadata.json")).json();
  const model = new Uint8Array(await (await fetched(`./${metadata.model}`)).arrayBuffer());
  const session = await ort.InferenceSession.create(model, { executionProviders: ["wasm"] });
  const lift = async (slopes) => {
    const input = new ort.Tensor("float32", slopes, [slopes.length / 48, 48]);
    const { output_3d: output } = await session.run({ [metadata.input.name]: input });
    return output.data;
  };
  return { metadata, lift };
}

async function fetched(path) {
  const response = await fetch(here(path));
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response;
}
