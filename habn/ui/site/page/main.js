// Builds the page from data.js, and lets the answers stand in the place of a server.

import { answers } from "./answers.js";
import { buildComponent } from "./components.js";
import { PAGE } from "./data.js";
import { connect } from "./events.js";
import { note } from "./notes.js";
import { language, say } from "./words.js";

document.documentElement.lang = language;
const asked = new URLSearchParams(location.search).get("__theme");
const darkness = matchMedia("(prefers-color-scheme: dark)");
const followTheme = () => document.documentElement.classList.toggle("dark", asked ? asked === "dark" : darkness.matches);
darkness.addEventListener("change", followTheme);
followTheme();

const components = new Map();

function build({ id, children = [] }) {
  const component = buildComponent(id, PAGE.components[id], PAGE.parts);
  components.set(id, component);
  for (const child of children) {
    const built = build(child);
    component.element.append(built.element);
    component.adopt?.(built);
  }
  return component;
}

document.getElementById("page").append(...PAGE.layout.children.map((child) => build(child).element));
const fire = connect(components, PAGE.events, answers, (error) => {
  console.error(error);
  note(say("site.failed"));
});
// A part's scripts run when it is first rendered, as in Gradio: what is in a tab that nobody opens is not fetched.
const rendered = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    rendered.unobserve(target);
    components.get(Number(target.dataset.component)).start();
  }
}, { rootMargin: "1000000px" });
for (const component of components.values()) {
  if (component.element.checkVisibility()) component.start?.();
  else if (component.start) rendered.observe(component.element);
}
fire(PAGE.layout.id, "load");

if ("serviceWorker" in navigator) navigator.serviceWorker.register("service_worker.js");
