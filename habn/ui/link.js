/* global DEFAULTS, HIDEABLE, TABS */
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
let view = new URLSearchParams(location.search); // the address that was written last
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
  const query = new URLSearchParams(location.search);
  const page = pageOf(query);
  for (const [key, value] of Object.entries(pending)) {
    const text = String(value ?? "");
    if (text === "" || text === DEFAULTS[key]) query.delete(key);
    else query.set(key, text);
  }
  pending = {};
  show(query, pageOf(query) === page ? "replaceState" : "pushState");
}

function show(query, how) {
  view = query;
  const text = query.toString().replaceAll("%2C", ",");
  const address = location.pathname + (text && `?${text}`) + location.hash;
  if (address !== location.pathname + location.search + location.hash) history[how](history.state, "", address);
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

document.addEventListener("habn-open", () => (isOpen = true));
document.addEventListener("habn-link", (event) => note(event.detail));
document.addEventListener("habn-look", (event) => note(event.detail));

const hidden = new URLSearchParams(location.search).get("hide")?.split(",") ?? [];
for (const part of HIDEABLE) document.documentElement.classList.toggle(`hide-${part}`, hidden.includes(part));
