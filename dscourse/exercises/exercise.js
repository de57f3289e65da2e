// A task in the page with buttons, such as Check, Hint and Solution, and what is said when one is pressed.

// [kind, text] each, as Python sends them.
function parts(said) {
  const list = element("ol");
  const made = said.map(([kind, text]) => {
    if (kind === "code") {
      const block = element("pre");
      const code = document.createElement("code");
      code.textContent = text;
      block.append(code);
      return block;
    }
    if (kind === "hint") {
      list.append(element("li", "", text));
      return list;
    }
    const line = element("p", "", kind === "head" ? "" : text);
    if (kind === "head") line.append(element("strong", "", text));
    return line;
  });
  return [...new Set(made)];
}

function render({ model, el }) {
  const root = element("div", "dscourse-exercise");
  const letGo = keepKeys(root);
  const task = element("div");
  for (const [place, line] of model.get("task").split("\n").entries()) {
    const text = element("p", "", line);
    if (place === 0) text.prepend(element("strong", "", `${model.get("heading")} `));
    task.append(text);
  }
  const where = element("p", "", model.get("where"));
  const said = element("div", "dscourse-said");
  said.setAttribute("role", "status");
  said.tabIndex = -1;
  let stopWaiting = () => {};
  const asks = (what) => () => {
    stopWaiting();
    stopWaiting = ask(
      model,
      { ask: what },
      () => tell([["text", "Python is busy, or your answer never ends. To stop it: Kernel → Interrupt."]]),
      () => tell([["text", "This belongs to a kernel that is gone. Run this cell again."]]),
    );
  };
  function tell(said_) {
    said.hidden = !said_.length;
    said.replaceChildren(...parts(said_));
  }
  root.append(task, where, ...model.get("buttons").map((word) => button(word, asks(word))), said);
  el.append(root);
  function update() {
    stopWaiting();
    tell(model.get("said"));
    if (root.contains(document.activeElement)) said.scrollIntoView({ block: "nearest" });
  }
  model.on("change:said change:turn", update);
  tell(model.get("said"));
  return () => {
    model.off("change:said change:turn", update);
    stopWaiting();
    letGo();
  };
}

export default { render };
