/* exported buildAttribution, drawAttribution, nameGap */
/* global PARAMETERS, attribute, state */
// Why the two networks' outputs differ at the pixel under the cross-hair: `attribute` of formula.js as signed bars.

const CAUSES = [...PARAMETERS, "x"];

function buildAttribution() {
  for (const cause of CAUSES) {
    const row = mark(part("cause"), { cause });
    row.querySelector("th").textContent = say(`cause_${cause}`);
    find(cause === "x" ? "causes-before" : "causes", element).append(row);
  }
}

function drawAttribution(index) {
  const { first, second } = state.view.networks;
  const { parameters, input, gap } = attribute(first, second, index);
  const amounts = [...parameters, input];
  const most = Math.max(...amounts.map(Math.abs), 1e-30);
  for (const row of findAll("cause")) {
    const amount = amounts[CAUSES.indexOf(row.dataset.cause)];
    mark(row, { sign: Math.sign(amount) }).style.setProperty("--amount", Math.abs(amount) / most);
    setAmount(row, amount);
  }
  setAmount(find("gap"), gap);
  setAmount(find("within"), parameters.reduce((sum, amount) => sum + amount, 0));
}

function setAmount(node, amount) {
  Object.assign(find("amount", node), { value: amount, textContent: signedFigure(amount) });
}

function nameGap() {
  const [first, second] = state.labels;
  const { kinds } = state.strip.layers[state.shown.layer];
  find("gap-name").textContent = say("gap_name", { first, second });
  find("attribution-help").textContent = say("attribution_help", { first, second, kind: kinds[0] });
}
