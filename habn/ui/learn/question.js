/* global STEPS, fillTable, node */
// What a step asks, its answer, and the way to the step before and after.

const root = find("question-part");
let current = null; // the step that is shown or on its way

function draw({ question, choices }) {
  find("question").innerHTML = question;
  find("asking").setAttribute("aria-label", find("question").textContent);
  find("choices").replaceChildren(...choices.map(({ text }, index) => {
    const button = node("button", text, { type: "button" });
    Object.assign(button.dataset, { role: "choice", index });
    button.setAttribute("aria-pressed", false);
    return button;
  }));
  find("show").hidden = false;
  find("reply").replaceChildren();
}

function showAnswer(lead) {
  const { answer, choices, picture, table, tabs = [] } = props.value;
  const parts = [node("p", `<b>${lead}</b> ${answer}`)];
  if (picture) parts.push(node("img", "", { src: picture.file.url, alt: picture.alt }));
  if (table) parts.push(fillTable(node("table"), table));
  for (const tab of tabs) {
    const button = node("button", say(`ui_${tab}`), { type: "button" });
    button.dataset.tab = tab;
    parts.push(button);
  }
  find("reply").replaceChildren(...parts);
  find("show").hidden = true;
  findAll("choice")[choices.findIndex(({ why }) => why === null)].dataset.verdict = "right";
  tell("lesson-answered");
}

function onChoice(button) {
  const { why } = props.value.choices[Number(button.dataset.index)];
  for (const other of findAll("choice")) other.setAttribute("aria-pressed", other === button);
  if (document.documentElement.classList.contains("hide-answers")) return; // the teacher's address keeps them back
  if (why === null) return showAnswer(say("ui_right"));
  button.dataset.verdict = "wrong";
  find("reply").replaceChildren(node("p", `<b>${say("ui_wrong")}</b> ${why}`));
}

function onClick(event) {
  const button = event.target.closest("button");
  if (!button) return;
  const { role, tab } = button.dataset;
  if (tab) trigger("select", { tab });
  else if (role === "choice") onChoice(button);
  else if (role === "show") showAnswer(`${say("ui_answer")}:`);
  else tell("lesson-go", { step: current + (role === "next" ? 1 : -1) });
}

function setCurrent(step) {
  current = step;
  root.dataset.state = props.value?.step === step ? "ready" : "loading";
  find("previous").disabled = step === STEPS[0];
  find("next").disabled = step === STEPS.at(-1);
}

function receive() {
  const question = props.value;
  if (!question) return void (root.dataset.state = "loading");
  draw(question);
  setCurrent(current ?? question.step);
}

fillWords();
root.addEventListener("click", onClick);
panel.addEventListener("lesson-wanted", (event) => setCurrent(event.detail.step));
receive();
watch("value", receive);
