/* global DEFAULTS, FIRST_VIEW, HIDEABLE, TABS, TITLES */
// Keeps the page's address equal to what is shown, and hides what the address says. link.py puts this into the head of
// the page, in a function of its own, with DEFAULTS, TABS and HIDEABLE before it.
//
// Whoever changes a part of the view dispatches, on the document or bubbling up to it,
//   new CustomEvent("habn-link", {bubbles: true, detail: {key: value, another: null}})
// with keys of `Link`; a list becomes its items with commas between, null takes the key out of the address. The
// inspector's "habn-look" is understood as well. "habn-open" says that the page shows what its address asked for; all
// is held till then.
//
// A tab and a step of the lesson are pages of their own for the browser's Back and Forward: there the tab is opened
// again, and "habn-back" {step} tells the lesson.

const QUIET_MS = 150; // browsers refuse an address that changes more often than about three times a second for long
const ACTS = ["pointerdown", "keydown", "click", "change"]; // with which the visitor begins something
const PAGE = ["tab", "step"];

let pending = {};
let timer = null;
const OF_GRADIO = /^(__|view$|deep_link$)/; // keys that its front end puts into the address
const isBare = (query) => [...query.keys()].every((key) => OF_GRADIO.test(key));

// What is shown, in full: a bare address stands for the first view.
let view = new URLSearchParams(location.search);
if (isBare(view)) view = new URLSearchParams({ ...Object.fromEntries(view), ...FIRST_VIEW });
let isOpen = false; // until the page has opened as its address asks, its parts tell of what they start with

// Gradio tells of its first tab, on a slow machine after that of the address: such an address keeps its tab until the
// visitor does something.
let isTabFixed = view.has("tab");

// Gradio sends the address with every event, so it must say what was done before the visitor does anything else. A key
// that is held down repeats too often for that.
function onAct(event) {
  isTabFixed = false;
  if (timer && !event.repeat) write();
}

function note(entries) {
  const { tab, ...others } = entries;
  Object.assign(pending, isTabFixed && tab ? others : entries);
  clearTimeout(timer);
  if (isOpen) timer = setTimeout(write, QUIET_MS);
}

function write() {
  clearTimeout(timer);
  timer = null;
  const query = new URLSearchParams(view);
  const page = pageOf(query);
  for (const [key, value] of Object.entries(pending)) {
    const text = String(value ?? (key === "pair" ? DEFAULTS.pair : ""));
    if (text === "" || (text === DEFAULTS[key] && key !== "pair")) query.delete(key);
    else query.set(key, text);
  }
  pending = {};
  show(query, pageOf(query) === page ? "replaceState" : "pushState");
}

// The tab's title first: many tabs of a browser show no more.
function entitle() {
  const titles = TITLES[navigator.language.split("-")[0].toLowerCase()] ?? Object.values(TITLES)[0];
  const name = document.title.split(" · ").at(-1);
  document.title = `${titles[TABS.indexOf(view.get("tab") ?? DEFAULTS.tab)] ?? titles[0]} · ${name}`;
}

function show(query, how) {
  view = query;
  entitle();
  const text = (isFirst(query) ? ofGradio(query) : query).toString().replaceAll("%2C", ",");
  const address = location.pathname + (text && `?${text}`) + location.hash;
  if (address !== location.pathname + location.search + location.hash) history[how](history.state, "", address);
}

const ofGradio = (query) => new URLSearchParams([...query].filter(([key]) => OF_GRADIO.test(key)));

function isFirst(query) {
  const said = [...query].filter(([key]) => !OF_GRADIO.test(key));
  return said.length === Object.keys(FIRST_VIEW).length && said.every(([key, text]) => FIRST_VIEW[key] === text);
}

const pageOf = (query) => PAGE.map((key) => query.get(key) ?? DEFAULTS[key]).join();

// Only tab and step go back: the rest of the address remains what the page shows.
function goBack() {
  const query = new URLSearchParams(location.search);
  const [tab, step] = PAGE.map((key) => query.get(key) ?? DEFAULTS[key]);
  for (const key of PAGE) delete pending[key];
  const shown = new URLSearchParams(view);
  for (const key of PAGE) {
    if (query.has(key)) shown.set(key, query.get(key));
    else shown.delete(key);
  }
  show(shown, "replaceState");
  openTab(tab);
  document.dispatchEvent(new CustomEvent("habn-back", { detail: { step: Number(step) } }));
}

// Gradio's tabs stand in a list; those without room in a menu, without a name, in the order of the hidden list.
function openTab(tab) {
  const wrapper = document.querySelector(".part-tabs > .tab-wrapper");
  const title = wrapper?.querySelector('[aria-hidden="true"]')?.children[TABS.indexOf(tab)]?.textContent;
  const buttons = [...(wrapper?.querySelectorAll("[data-tab-id], .overflow-dropdown button") ?? [])];
  const button = buttons.find(({ dataset, textContent }) => dataset.tabId === tab || textContent === title);
  if (button?.getAttribute("aria-selected") !== "true") button?.click();
}

addEventListener("popstate", goBack);
for (const act of ACTS) document.addEventListener(act, onAct, { capture: true });

document.addEventListener("habn-open", () => {
  isOpen = true;
  entitle();
});
document.addEventListener("habn-link", (event) => note(event.detail));
document.addEventListener("habn-look", (event) => note(event.detail));

const hidden = new URLSearchParams(location.search).get("hide")?.split(",") ?? [];
for (const part of HIDEABLE) document.documentElement.classList.toggle(`hide-${part}`, hidden.includes(part));
