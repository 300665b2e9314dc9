// In the place of Gradio: gives the inspector its value, its files and the answers to its picks, all from this file.

const { files, values, texts } = JSON.parse(document.querySelector(".data").textContent);
const props = { value: null };
const watchers = [];

const darkness = matchMedia("(prefers-color-scheme: dark)");
const followTheme = () => document.documentElement.classList.toggle("dark", darkness.matches);
darkness.addEventListener("change", followTheme);
followTheme();

async function inflate(text, name) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const type = name.endsWith(".png") ? "image/png" : "application/octet-stream";
  return URL.createObjectURL(new Blob([await new Response(stream).arrayBuffer()], { type }));
}

// Puts {url} where a value names a file.
function link(value, urls) {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  if ("file" in value) return { url: urls[value.file] };
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, link(part, urls)]));
}

function fill(text, fields) {
  return text.replace(/\{(\w+)\}/g, (_, name) => fields[name]);
}

// The held view nearest to a pick, in the direction in which the channel was changed where there is one.
function nearest({ layer, channel }) {
  const held = values.filter((value) => value.layer === layer).sort((a, b) => a.channel - b.channel);
  const current = props.value.layer === layer ? props.value.channel : channel;
  const onward = channel >= current ? held.find((value) => value.channel >= channel)
    : held.findLast((value) => value.channel <= channel);
  const distance = (value) => Math.abs(value.channel - channel);
  return { held, view: onward ?? held.reduce((a, b) => (distance(b) < distance(a) ? b : a)) };
}

function answer(pick) {
  const { held, view } = nearest(pick);
  const isHeld = view.channel === pick.channel;
  const fields = { channel: pick.channel, channels: held.map((value) => value.channel).join(", ") };
  document.querySelector(".redirected").textContent = isHeld ? "" : fill(texts.not_held, fields);
  show(view);
}

function show({ look, ...view }) {
  props.value = view;
  for (const watcher of watchers) watcher();
}

async function start() {
  const names = Object.keys(files);
  const urls = await Promise.all(names.map((name) => inflate(files[name], name)));
  const byName = Object.fromEntries(names.map((name, i) => [name, urls[i]]));
  values.forEach((value, i) => (values[i] = link(value, byName)));
  props.value = values[0];
  const trigger = (event, pick) => event === "select" && setTimeout(() => answer(pick));
  const watch = (_, watcher) => watchers.push(watcher);
  runInspector(document.querySelector(".inspector-place"), props, trigger, watch);
}

start();
