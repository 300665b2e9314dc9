/* global PICTURES, ROWS */
// What came of an experiment. The room of every picture is there from the start, so nothing moves when they come.

function room() {
  const row = part("row");
  row.querySelector(".pictures").append(...Array.from({ length: PICTURES }, () => part("picture")));
  return row;
}

function sayRunning() {
  if (find("outcome").dataset.state === "empty") find("headline").textContent = say("running");
}

function receive() {
  const value = props.value;
  if (!value) return;
  const outcome = find("outcome");
  outcome.dataset.state = "ready";
  outcome.style.setProperty("--aspect", value.aspect);
  find("headline").textContent = value.headline;
  panel.dispatchEvent(new CustomEvent("experiment-outcome", { detail: value.headline }));
  findAll("row").forEach((row, i) => drawRow(row, value.rows[i], value.columns));
}

function drawRow(row, { side, label, pictures, figures }, columns) {
  row.dataset.side = side;
  find("label", row).textContent = label;
  find("figures", row).replaceChildren(...figures.map(figureOf));
  row.querySelectorAll("figure").forEach((figure, i) => {
    figure.querySelector("figcaption").textContent = columns[i];
    const image = figure.querySelector("img");
    image.alt = pictures[i].alt;
    image.hidden = false;
    if (image.getAttribute("src") !== pictures[i].file.url) image.src = pictures[i].file.url;
  });
}

function figureOf({ name, title, help, text, share }) {
  const figure = part("figure");
  figure.dataset.figure = name;
  fillWords(figure);
  find("title", figure).textContent = title;
  find("help", figure).textContent = help;
  figure.querySelector("button").popoverTargetElement = find("help", figure);
  figure.querySelector("dd span").textContent = text;
  const bar = figure.querySelector("i");
  if (share === null) bar.remove();
  else bar.style.setProperty("--share", share);
  return figure;
}

fillWords();
find("outcome").style.setProperty("--columns", PICTURES > 3 ? 2 : PICTURES);
find("rows").append(...Array.from({ length: ROWS }, room));
receive();
panel.addEventListener("experiment-asked", sayRunning);
watch("value", receive);
