// A button beside a command copies it and says so.
element.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = button.parentElement.querySelector("code").textContent;
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = button.dataset.copy;
    setTimeout(() => { button.textContent = label; }, 2000);
  } catch {
    // Without the right to the clipboard the command is selected, to be copied by hand.
    getSelection().selectAllChildren(button.parentElement.querySelector("code"));
  }
});

// A link to a study opens what it is folded into. Followed by the browser, it would be an address of its own.
element.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (!link) return;
  event.preventDefault();
  const target = element.querySelector(link.hash);
  for (let part = target; part !== element; part = part.parentElement) {
    if (part.tagName === "DETAILS") part.open = true;
  }
  target.scrollIntoView();
});
