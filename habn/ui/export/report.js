/* global runInspector */
// In the place of Gradio: gives the inspector its value, its files and the answers to its picks, all from this file.

const { files, values, texts } = JSON.parse(document.querySelector(".data").textContent);
const props = { value: null };
const watchers = [];

const darkness = matchMedia("(prefers-color-scheme: dark)");
const followTheme = () => document.documentElement.classList.toggle("dark", darkness.matches);
darkness.addEventListener("change", followTheme);
followTheme();

const urls = new Map(); // name of a file to the promise of its address

function urlOf(name) {
  if (!urls.has(name)) urls.set(name, inflate(name));
  return urls.get(name);
}

async function inflate(name) {
  const deflated = await fetch(`data:application/octet-stream;base64,${files[name]}`);
  const content = new Response(deflated.body.pipeThrough(new DecompressionStream("deflate")));
  const type = name.endsWith(".png") ? "image/png" : "application/octet-stream";
  return URL.createObjectURL(new Blob([await content.arrayBuffer()], { type }));
}

// The value with {url} where it names a file.
async function open(value) {
  const opened = { ...value };
  for (const [key, part] of Object.entries(value)) if (part?.file) opened[key] = { url: await urlOf(part.file) };
  return opened;
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

async function answer(pick) {
  const { held, view } = nearest(pick);
  const isHeld = view.channel === pick.channel;
  const fields = { channel: pick.channel, channels: held.map((value) => value.channel).join(", ") };
  document.querySelector(".redirected").textContent = isHeld ? "" : fill(texts.not_held, fields);
  props.value = await open(view);
  for (const watcher of watchers) watcher();
}

async function start() {
  props.value = await open(values[0]);
  const trigger = (event, pick) => event === "select" && answer(pick);
  const watch = (_, watcher) => watchers.push(watcher);
  runInspector(document.querySelector(".inspector-place"), props, trigger, watch);
}

start();
