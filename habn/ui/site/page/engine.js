// The page's side of worker.js.

let worker = null;
let count = 0;
const waiting = new Map();

export class Refused extends Error {
  constructor({ key, fields }) {
    super(key);
    Object.assign(this, { key, fields });
  }
}

function start() {
  worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data: { id, result, refusal, error } }) => {
    const { resolve, reject } = waiting.get(id);
    waiting.delete(id);
    if (refusal) reject(new Refused(refusal));
    else if (error) reject(new Error(error));
    else resolve(result);
  };
  worker.onerror = (event) => {
    for (const { reject } of waiting.values()) reject(new Error(event.message || "The worker could not be started."));
    waiting.clear();
    worker = null;
  };
}

export function ask(task, given) {
  if (!worker) start();
  const id = count++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    worker.postMessage({ id, task, given });
  });
}
