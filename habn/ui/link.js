// Keeps the page's address equal to what is shown, and hides what the address says. link.py puts this into the head of
// the page, in a function of its own, with DEFAULTS and HIDEABLE before it.
//
// Whoever changes a part of the view dispatches, on the document or bubbling up to it,
//   new CustomEvent("habn-link", {bubbles: true, detail: {key: value, another: null}})
// with keys of `Link`; a list becomes its items with commas between, null takes the key out of the address. The
// inspector's "habn-look" is understood as well. "habn-open" says that the page shows what its address asked for; all
// is held till then.

const QUIET_MS = 150; // browsers refuse an address that changes more often than about three times a second for long

let pending = {};
let timer = null;
let isOpen = false; // until the page has opened as its address asks, its parts tell of what they start with

function note(entries) {
  Object.assign(pending, entries);
  clearTimeout(timer);
  if (isOpen) timer = setTimeout(write, QUIET_MS);
}

function write() {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(pending)) {
    const text = String(value ?? "");
    if (text === "" || text === DEFAULTS[key]) query.delete(key);
    else query.set(key, text);
  }
  pending = {};
  const text = query.toString().replaceAll("%2C", ",");
  const address = location.pathname + (text && `?${text}`) + location.hash;
  if (address !== location.pathname + location.search + location.hash) history.replaceState(history.state, "", address);
}

document.addEventListener("habn-open", () => (isOpen = true));
document.addEventListener("habn-link", (event) => note(event.detail));
document.addEventListener("habn-look", (event) => note(event.detail));

const hidden = new URLSearchParams(location.search).get("hide")?.split(",") ?? [];
for (const part of HIDEABLE) document.documentElement.classList.toggle(`hide-${part}`, hidden.includes(part));
