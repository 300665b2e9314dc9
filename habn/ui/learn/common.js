/* exported fillTable, node */
// What lesson.js and question.js share. The two components speak to each
// other by events in their tab: "lesson-go" {step} asks for a step, "lesson-wanted" {step} says that it is on its way,
// "lesson-answered" that the answer has been shown.

function node(tag, html = "", properties = {}) {
  return Object.assign(document.createElement(tag), { innerHTML: html }, properties);
}

function fillTable(table, { caption, head, rows }) {
  table.createCaption().textContent = caption;
  const titles = table.createTHead().insertRow();
  titles.append(...head.map((html) => node("th", html, { scope: "col" })));
  const body = table.createTBody();
  for (const [name, ...cells] of rows) {
    body.insertRow().append(node("th", name, { scope: "row" }), ...cells.map((html) => node("td", html)));
  }
  return table;
}
