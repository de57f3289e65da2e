// What a question in the page is made of. Text goes in as text, never as HTML. It stands in front of each widget's own.

function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  write(made, text);
  return made;
}

// `backticks` mark code.
function write(parent, text) {
  parent.replaceChildren(
    ...text.split(/`([^`\n]+)`/).map((part, place) => {
      if (place % 2 === 0) return document.createTextNode(part);
      const code = document.createElement("code");
      code.textContent = part;
      return code;
    }),
  );
}

// Arrow keys, Enter and the space bar belong to the control that has the focus; in JupyterLab they would go to the
// notebook. Shift + Enter and its like run a cell wherever the focus is. JupyterLab listens at the document and lets a
// key be if the very element that has the focus bears a mark; the window hears of it first.
function keepKeys(root) {
  const mark = (event) => {
    if (!root.contains(event.target) || !event.target.matches("input, button, [role=slider], [role=radio]")) return;
    const runsCell = event.key === "Enter" && (event.shiftKey || event.ctrlKey || event.metaKey || event.altKey);
    event.target.toggleAttribute("data-lm-suppress-shortcuts", !runsCell);
  };
  window.addEventListener("keydown", mark, true);
  return () => window.removeEventListener("keydown", mark, true);
}

function button(text, act) {
  const made = element("button", "", text);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
}

// Tell Python something; `busy` and `gone` are said if it is busy, or if nobody is at the other end any more: after a
// restart of the kernel, when the page still shows this question, and in a notebook that was saved and is opened again.
// (Then a model that was saved with the notebook swallows what it is told; its layout knows.) The result ends the waiting.
function ask(model, message, busy, gone) {
  const patience = setTimeout(busy, 4000);
  try {
    if (model.get("layout")?.comm_live === false) throw new Error("This was saved with the notebook.");
    model.send(message);
  } catch (error) {
    clearTimeout(patience);
    console.warn("Python can't be reached.", error);
    gone();
  }
  return () => clearTimeout(patience);
}
