/* global TABLE */
// Stands between Gradio's front end and the server while that does not answer. connection.py puts this into the head of
// the page, in a function of its own, with TABLE, {language: {name: text}}, before it.
//
// Gradio would load the page anew when a connection breaks, and what it shows would be gone. Here an event that cannot be
// sent waits until the server is back, and one whose answer is lost ends with a sentence. A bar says so, with a button.
// "habn-lost" is dispatched on the document: whoever waits for an answer goes back to what is shown.

const WORDS = TABLE[navigator.language.split("-")[0].toLowerCase()] ?? TABLE.en;
const FULL = 503; // the queue is full, or too much of this page waits in it
const PAUSE_MS = 1500;
const EVENT = /\/(queue\/join|run\/\w+)$/;

const ask = window.fetch.bind(window);
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const pending = new Set(); // ids of events that wait for their answer
let bar = null;

window.fetch = async (resource, options) => {
  const address = new URL(resource.url ?? resource, document.baseURI);
  if (address.origin !== location.origin) return ask(resource, options);
  if (EVENT.test(address.pathname)) return send(resource, options);
  if (address.pathname.endsWith("/queue/data")) return listen(resource, options);
  return ask(resource, options);
};

// An event, again until the server takes it.
async function send(resource, options) {
  for (;;) {
    const answer = await ask(resource, options).catch(noteLoss);
    if (answer?.ok) noteEvent(await answer.clone().json());
    if (answer && answer.status !== FULL) return answer;
    await pause(PAUSE_MS);
  }
}

function noteEvent({ event_id: id }) {
  if (id) pending.add(id); // an event that does not queue is answered at once
}

function noteLoss(error) {
  if (error.name === "AbortError") throw error;
  document.dispatchEvent(new CustomEvent("habn-lost"));
  if (!bar) showBar();
}

// The stream of answers, which ends well for Gradio however it ends.
async function listen(resource, options) {
  const answer = await ask(resource, options).catch(noteLoss);
  if (answer && !answer.ok) return answer;
  const stream = new ReadableStream({ start: (controller) => pass(answer?.body.getReader(), controller) });
  return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
}

async function pass(reader, controller) {
  const encoder = new TextEncoder();
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for (let read; reader && !(read = await reader.read()).done; ) {
      const messages = (rest + decoder.decode(read.value, { stream: true })).split("\n\n");
      rest = messages.pop();
      for (const message of messages) {
        if (message.includes('"msg":"unexpected_error"')) throw new TypeError(message);
        forget(message);
        controller.enqueue(encoder.encode(`${message}\n\n`));
      }
    }
  } catch (error) {
    if (error.name === "AbortError") return controller.error(error);
    noteLoss(error);
  }
  for (const message of endings()) controller.enqueue(encoder.encode(`data: ${JSON.stringify(message)}\n\n`));
  controller.close();
}

function forget(message) {
  if (message.includes('"msg":"process_completed"')) pending.delete(JSON.parse(message.slice("data:".length)).event_id);
}

function* endings() {
  for (const id of pending) {
    const output = { error: WORDS.interrupted, title: "HABN Explorer", visible: true, duration: 10 };
    yield { msg: "process_completed", event_id: id, success: false, output };
  }
  pending.clear();
  yield { msg: "close_stream", event_id: null };
}

async function showBar() {
  bar = document.createElement("div");
  bar.className = "connection-lost";
  bar.setAttribute("role", "alert");
  const button = document.createElement("button");
  button.textContent = WORDS.reload;
  button.addEventListener("click", () => location.reload());
  bar.append(WORDS.lost, button);
  document.body.append(bar);
  const health = new URL("healthz", `${location.origin}${location.pathname.replace(/\/?$/, "/")}`);
  while (!(await ask(health).then((answer) => answer.ok, () => false))) await pause(PAUSE_MS);
  bar.remove();
  bar = null;
}
