// What the page says, in the visitor's language, as habn.ui.words does it on a server.

import { LANGUAGES } from "./data.js";

const asked = navigator.language.split("-")[0].toLowerCase();
export const language = LANGUAGES.includes(asked) ? asked : LANGUAGES[0];
const texts = await (await fetch(new URL(`words.${language}.json`, import.meta.url))).json();

const grouped = (value) => String(value).replace(/\B(?=(\d{3})+$)/g, ",");

// A text, its {fields} filled in; {field:,} is a whole number with its thousands apart.
export function say(key, fields = {}) {
  if (!(key in texts)) throw new Error(`There is no text ${key}.`);
  return texts[key].replace(/\{(\w+)(:,)?\}/g, (_, name, apart) => (apart ? grouped(fields[name]) : fields[name]));
}

export const says = (key) => key in texts;

// Standing text names its words; see habn.ui.words.label.
export function translated(text) {
  return String(text ?? "").replace(/__i18n__\{.*?"key":\s*"([^"]+)"\}/g, (_, key) => say(key));
}

// Numbers as habn.ui.words writes them.

export const integer = (value) => grouped(value).replaceAll(",", say("numbers.thousands"));

export function decimals(value, digits) {
  const text = value.toFixed(digits).replace(".", say("numbers.decimal"));
  return text.replace("-", /[1-9]/.test(text) ? "−" : "");
}

export function percent(share, digits = 1) {
  const least = 10 ** -(digits + 2);
  const isBelow = share > 0 && share < least / 2;
  return `${isBelow ? "<\u00a0" : ""}${decimals(100 * (isBelow ? least : share), digits)}\u00a0%`;
}

export const milliseconds = (seconds) => (seconds === null ? "" : `${(seconds * 1000).toFixed(0)}\u00a0ms`);

export function size(count) {
  const [unit, divisor] = count >= 1e5 ? ["MB", 1e6] : ["kB", 1e3];
  return `${decimals(count / divisor, 1)}\u00a0${unit}`;
}

const ESCAPES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;" };
export const escaped = (text) => String(text).replace(/[&<>"']/g, (letter) => ESCAPES[letter]);

// The little Markdown that the page's words hold.
export function markdown(text) {
  const inline = (line) => line
    .replace(/\*\*(.+?)\*\*/g, "<strong>$1</strong>")
    .replace(/\*(.+?)\*/g, "<em>$1</em>")
    .replace(/`(.+?)`/g, "<code>$1</code>");
  return escaped(text).split(/\n\n+/).map((block) => {
    const title = block.match(/^(#+) (.*)$/);
    return title ? `<h${title[1].length}>${inline(title[2])}</h${title[1].length}>` : `<p>${inline(block)}</p>`;
  }).join("");
}
