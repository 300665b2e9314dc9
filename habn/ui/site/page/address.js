// The view that the page's address describes, as habn.ui.link reads it.

import { ADDRESS } from "./data.js";

const whole = ([low, high]) => (text) => (/^\d{1,6}$/.test(text) ? within(Number(text), low, high) : undefined);
const number = ([low, high]) => (text) => (/^\d{1,3}(\.\d{1,20})?$/.test(text) ? within(Number(text), low, high) : undefined);
const within = (value, low, high) => (low <= value && value <= high ? value : undefined);
const choice = (choices) => (text) => (choices.includes(text) ? text : undefined);
const name = () => (text) => (/^[A-Za-z_][A-Za-z0-9_.]{0,99}$/.test(text) ? text : undefined);
const listOf = ([kind, given, count]) => (text) => {
  const parts = text.split(",");
  const values = parts.map(READERS[kind](given));
  return parts.length > 100 || (count && count !== parts.length) || values.includes(undefined) ? undefined : values;
};
const READERS = { whole, number, choice, name, list: listOf };

// {keys of Link, ignored}; an address that says nothing is the first view.
export function parseAddress(search) {
  const [said, ignored] = [{}, []];
  for (const [key, text] of new URLSearchParams(search)) {
    if (key.startsWith("__") || ADDRESS.foreign.includes(key)) continue;
    const [kind, given] = ADDRESS.keys[key] ?? [];
    const value = kind && READERS[kind](given)(text);
    if (value === undefined) ignored.push(key);
    else said[key] = kind === "choice" && typeof ADDRESS.defaults[key] === "number" ? Number(value) : value;
  }
  return { ...(Object.keys(said).length ? ADDRESS.defaults : ADDRESS.first), ...said, ignored };
}

export function paintingOf(view) {
  return {
    style: view.style, strength: view.style_strength / 100, second_style: view.second_style,
    second_share: view.second_share / 100, keep_colours: view.colours === "photo",
  };
}

export function lookOf(view) {
  const { pixel, range, order, channels, zoom, overlay } = view;
  return { pixel, range, order, channels, zoom, overlay };
}
