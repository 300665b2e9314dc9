// Draws the page's components, as data.js describes them. Each is {id, kind, element, value, set, on}: `set` takes an
// update, `on` is called with an event's name and its data.

import { imageSlider } from "./image_slider.js";
import { photoField } from "./photo_field.js";
import { markdown, translated } from "./words.js";

const node = (name, classes = "", content = "") => {
  const made = document.createElement(name);
  made.className = classes;
  made.innerHTML = content;
  return made;
};
let names = 0;

export function buildComponent(id, description, parts) {
  const component = { id, kind: description.kind, props: { ...description }, value: description.value ?? null };
  component.on = () => {};
  component.element = MAKERS[description.kind](component, parts);
  component.element.classList.add(...[description.elem_classes ?? []].flat());
  component.element.dataset.component = id;
  component.set = (update) => setComponent(component, update);
  setComponent(component, { visible: ![false, "hidden"].includes(description.visible) });
  return component;
}

// Takes what of an update is there: visible, interactive, and what the component's own `take` knows.
function setComponent(component, update) {
  Object.assign(component.props, update);
  if ("visible" in update) component.element.hidden = !update.visible;
  if ("value" in update) component.value = update.value;
  component.take?.(update);
}

const box = (classes) => () => node("div", classes);

function column({ props }) {
  const element = node("div", "column");
  if (props.scale !== undefined) element.style.flexGrow = props.scale;
  if (props.min_width) element.style.minWidth = `min(${props.min_width}px, 100%)`;
  return element;
}

// The tabs' titles; the panels are put in as children.
function tabs(component) {
  const element = node("div", "tabs", '<div class="tab-wrapper"><div class="tab-container" role="tablist"></div></div>');
  const list = element.querySelector('[role="tablist"]');
  const buttons = () => [...list.children];
  const select = (tab, isChosen) => {
    component.value = tab;
    for (const button of buttons()) {
      const isPicked = button.dataset.tabId === tab;
      button.setAttribute("aria-selected", isPicked);
      button.tabIndex = isPicked ? 0 : -1;
    }
    for (const panel of component.children) {
      panel.element.hidden = panel.props.id !== tab;
      if (isChosen && panel.props.id === tab) panel.on("select");
    }
  };
  component.adopt = (panel) => {
    const button = node("button");
    Object.assign(button, { type: "button", id: `tab-${panel.id}`, textContent: translated(panel.props.label) });
    button.dataset.tabId = panel.props.id;
    button.setAttribute("role", "tab");
    button.setAttribute("aria-controls", panel.element.id);
    panel.element.setAttribute("aria-labelledby", button.id);
    list.append(button);
    component.children = [...(component.children ?? []), panel];
    select(component.children[0].props.id, false);
  };
  list.addEventListener("click", ({ target }) => target.dataset.tabId && select(target.dataset.tabId, true));
  list.addEventListener("keydown", (event) => {
    const place = buttons().indexOf(event.target);
    const last = buttons().length - 1;
    const goal = { ArrowLeft: place - 1, ArrowRight: place + 1, Home: 0, End: last }[event.key];
    if (goal === undefined || !buttons()[goal]) return;
    event.preventDefault();
    buttons()[goal].focus();
    buttons()[goal].click();
  });
  component.take = ({ selected }) => selected && selected !== component.value && select(selected, true);
  return element;
}

function tabitem({ id }) {
  const element = node("div", "tabitem");
  element.id = `panel-${id}`;
  element.setAttribute("role", "tabpanel");
  return element;
}

function accordion({ props }) {
  const element = node("details", "accordion", "<summary></summary>");
  element.firstChild.textContent = translated(props.label);
  element.open = props.open === true;
  return element;
}

// A part with scripts of its own. They are given what Gradio gives them: element, props, trigger and watch.
function html(component, parts) {
  const { part, value } = component.props;
  const { html_template: template, css_template: css, js_on_load: script } = parts[part];
  // As Gradio has it, what a part is made of stands within an element of its own, which has the part's classes too.
  const element = node("div", "html-container");
  element.classList.add(...[component.props.elem_classes ?? []].flat());
  const block = node("div", "html");
  block.dataset.part = part;
  block.append(element);
  const isFilled = template.includes("${value}");
  const fill = () => (element.innerHTML = translated(template.replace("${value}", () => component.value ?? "")));
  fill();
  if (css) addStyle(part, css);
  const props = { value: value ?? null };
  const watchers = [];
  Object.defineProperty(component, "value", { get: () => props.value, set(next) { props.value = next; } });
  component.take = (update) => {
    if (!("value" in update)) return;
    if (isFilled) fill();
    for (const watcher of watchers) watcher();
  };
  const run = new Function("element", "props", "trigger", "watch", script);
  const trigger = (event, data) => component.on(event, data);
  component.start = () => script && run(element, props, trigger, (_, watcher) => watchers.push(watcher));
  return block;
}

const styled = new Set();

// Within its part alone.
function addStyle(part, css) {
  if (styled.has(part)) return;
  styled.add(part);
  document.head.append(node("style", "", `[data-part="${part}"] {\n${css}\n}`));
}

function text(component) {
  const element = node("div", "markdown");
  component.take = (update) => "value" in update && (element.innerHTML = markdown(translated(update.value)));
  component.take(component.props);
  return element;
}

function radio(component) {
  const element = node("fieldset", "radio", "<legend></legend><div></div>");
  element.firstChild.textContent = translated(component.props.label);
  const group = `radio-${names++}`;
  component.take = (update) => {
    if ("choices" in update) {
      element.lastChild.replaceChildren(...update.choices.map(([title, value]) => {
        const label = node("label", "", '<input type="radio"><span></span>');
        Object.assign(label.firstChild, { name: group, value });
        label.lastChild.textContent = translated(title);
        return label;
      }));
    }
    for (const input of element.querySelectorAll("input")) input.checked = input.value === component.value;
  };
  element.addEventListener("change", ({ target }) => {
    component.value = target.value;
    component.on("input");
  });
  component.take(component.props);
  return element;
}

function slider(component) {
  const element = node("label", "slider", '<span></span><input type="range"><output></output>');
  const [title, input, output] = element.children;
  title.textContent = translated(component.props.label);
  const { minimum: min = 0, maximum: max, step } = component.props;
  Object.assign(input, { min, max, step });
  component.take = () => (output.textContent = input.value = component.value);
  input.addEventListener("input", () => {
    component.value = output.textContent = input.valueAsNumber;
    component.on("input");
  });
  component.take();
  return element;
}

function picture(component) {
  if (component.props.interactive !== false) return photoField(component);
  const element = node("figure", "picture", "<figcaption></figcaption><img hidden>");
  const [caption, image] = element.children;
  caption.textContent = translated(component.props.label);
  image.alt = translated(component.props.alt_text);
  component.take = ({ value }) => value && Object.assign(image, { src: value, hidden: false });
  return element;
}

function pushButton(component) {
  const element = node("button", "button");
  element.type = "button";
  element.textContent = translated(component.props.value);
  element.addEventListener("click", () => component.on("click"));
  return element;
}

function code(component) {
  const element = node("pre", "code", "<code tabindex=0></code>");
  element.firstChild.setAttribute("aria-label", translated(component.props.label));
  component.take = (update) => "value" in update && (element.firstChild.textContent = update.value);
  return element;
}

const MAKERS = {
  row: box("row"), form: box("form"), state: box("state"), column, tabs, tabitem, accordion, html, markdown: text, radio,
  slider, image: picture, imageslider: imageSlider, button: pushButton, code,
};
