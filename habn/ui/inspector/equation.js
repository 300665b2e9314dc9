/* exported buildEquations, drawEquations */
/* global PARAMETERS, at, effective, figuresAlike, normalize, state, termsAt */
// The layer's equation, filled with the numbers of the pixel under the cross-hair, for both networks.

function buildEquations() {
  for (const network of ["first", "second"]) {
    const panel = mark(part("equation"), { network });
    for (const parameter of PARAMETERS) {
      const term = mark(part("term"), { parameter });
      term.querySelector("th").textContent = `${say(`term_${parameter}`)}′`;
      find("terms", panel).append(term);
    }
    find("panels").append(panel);
  }
}

function drawEquations(index) {
  findAll("equation").forEach((panel, i) => drawEquation(panel, state.labels[i], index));
}

function drawEquation(panel, label, index) {
  const network = state.view.networks[panel.dataset.network];
  const [s, x, y] = [network.context, network.x, network.y].map((map) => at(map, index));
  const values = PARAMETERS.map((_, k) => effective(network, k, s));
  const [scale, bias, mean, variance] = values.map((value) => figure(value));
  const [computed, recorded] = figuresAlike(normalize(network, x, s), y, largestTerm(network, x, s));
  const signed = (text) => (text.startsWith("−") ? `(${text})` : text);
  const filled = `(${figure(x)} − ${signed(mean)}) / √(${variance} + ${figure(network.eps)}) · ${signed(scale)} + ${signed(bias)}`;
  const texts = { network: label, filled, result: computed, recorded: say("recorded", { value: recorded }), s: figure(s) };
  for (const [role, text] of Object.entries(texts)) find(role, panel).textContent = text;
  findAll("term", panel).forEach((term, k) => drawTerm(term, network, k, s));
}

// The largest of the numbers whose sum is y: where they nearly cancel, it is what float32 rounds against.
function largestTerm(network, x, s) {
  const [scale, bias, mean, spread] = termsAt(network, s);
  return Math.max(...[x, mean].map((value) => Math.abs((value / Math.sqrt(spread)) * scale)), Math.abs(bias));
}

function drawTerm(term, network, k, s) {
  // A slope is gate times delta in the parameter's own unit; behind a closed gate delta has no meaning.
  const gate = network.gates[k];
  const delta = gate === 0 ? "–" : figure(network.slope[k] / gate);
  const texts = [figure(network.fixed[k]), figure(gate), delta, figure(effective(network, k, s))];
  term.querySelectorAll("td").forEach((cell, i) => (cell.textContent = texts[i]));
  const isFloored = k === 3 && network.fixed[k] + s * network.slope[k] < network.floor;
  mark(term, { floored: isFloored }).title = isFloored ? say("floored") : "";
}
