/* exported drawClasses, drawCurrentClass */
/* global QUANTITIES, at, extentOf, histogram, isShown, labelsAt, look, pixelUnderCross, state, widened */
// How a quantity is distributed over the pixels of each class that the second network predicts.

const BINS = 40;
const SMALLEST_SHARE = 0.002; // of the picture, below which a class is left out
let regions = []; // the classes of the layer that is shown: {label, isMember, share}

function findRegions() {
  const labels = state.classes ? labelsAt(state.classes, state.view.shape) : [];
  const sizes = new Map();
  for (const label of labels) sizes.set(label, (sizes.get(label) ?? 0) + 1);
  regions = [...sizes]
    .map(([label, size]) => ({ label, share: size / labels.length }))
    .filter(({ share }) => share >= SMALLEST_SHARE)
    .sort((a, b) => b.share - a.share)
    .map((region) => ({ ...region, isMember: labels.map((label) => label === region.label) }));
}

function drawClasses() {
  find("classes").hidden = state.classes === null || !isShown(look.parts, "classes");
  if (find("classes").hidden) return;
  findRegions();
  const q = QUANTITIES.indexOf(find("classes-quantity").value);
  const maps = [state.view.maps[0][q], state.view.maps[2][q]];
  const range = widened(extentOf([state.view.summaries[0][q], state.view.summaries[2][q]]));
  find("class-rows").replaceChildren(...regions.map((region) => classRow(region, maps, range)));
  const [first, second] = state.labels;
  const texts = { low: range[0], high: range[1] };
  for (const [end, value] of Object.entries(texts)) find(`classes-${end}`).textContent = figure(value);
  find("classes-first").textContent = first;
  find("classes-second").textContent = second;
  find("classes-help").textContent = say("classes_help", { first, second });
  drawCurrentClass(pixelUnderCross().index);
}

function classRow({ label, share, isMember }, maps, range) {
  const row = mark(part("class"), { label });
  const { names, colours } = state.classes.header;
  find("chip", row).style.background = `rgb(${colours[label]})`;
  find("class-name", row).textContent = say(`class_${names[label]}`);
  find("class-share", row).textContent = percent(share, 1);
  const shares = maps.map((map) => histogram(map, isMember, range, BINS));
  shares.forEach((bins, i) => {
    const highest = Math.max(...bins); // each curve has its own, else a flat parameter would press the others down
    const steps = bins.map((value, bin) => `V${1 - value / (highest || 1)}H${bin + 1}`).join("");
    row.querySelectorAll("path")[i].setAttribute("d", `M0 1${steps}V1`);
  });
  const means = maps.map((map) => meanOver(map, isMember));
  ["first-mean", "second-mean"].forEach((role, i) => (find(role, row).textContent = figure(means[i])));
  return row;
}

function meanOver(map, isMember) {
  let [sum, count] = [0, 0];
  for (let i = 0; i < isMember.length; i++) {
    if (isMember[i] && Number.isFinite(at(map, i))) [sum, count] = [sum + at(map, i), count + 1];
  }
  return sum / count;
}

function drawCurrentClass(index) {
  for (const row of findAll("class")) {
    const region = regions.find(({ label }) => label === Number(row.dataset.label));
    row.classList.toggle("is-here", Boolean(region?.isMember[index]));
  }
}
