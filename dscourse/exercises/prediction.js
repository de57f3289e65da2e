// A prediction in the page: choose, commit, read. Text goes in as text, never as HTML.

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

// In JupyterLab, arrow keys and Enter would otherwise go to the notebook and choose another cell.
function keepKeys(control) {
  control.setAttribute("data-lm-suppress-shortcuts", "true");
}

function render({ model, el }) {
  const group = `dscourse-prediction-${Math.random()}`; // radio buttons of one name exclude each other, page-wide
  const root = element("div", "dscourse-prediction");

  const fieldset = element("fieldset");
  const legend = element("legend");
  legend.append(element("strong", "", "Prediction. "), element("span", "", model.get("question")));
  fieldset.append(legend);
  const labels = new Map();
  for (const [key, text] of model.get("options")) {
    const label = element("label");
    const radio = element("input");
    radio.type = "radio";
    radio.name = group;
    radio.value = key;
    keepKeys(radio);
    radio.addEventListener("change", () => { commit.disabled = false; });
    label.append(radio, element("span", "", `${key}) ${text}`));
    labels.set(key, label);
    fieldset.append(label);
  }

  const commit = element("button", "", "Commit");
  commit.type = "button";
  keepKeys(commit);
  commit.disabled = true;
  const others = element("button", "", "What about the other options?");
  others.type = "button";
  keepKeys(others);
  const told = element("div", "dscourse-told");
  told.setAttribute("role", "status");
  told.tabIndex = -1;
  const notice = element("p", "dscourse-notice");
  root.append(fieldset, commit, told, others, notice);
  el.append(root);

  let asked = false;
  let patience = null;

  function chosen() {
    return root.querySelector("input:checked")?.value ?? "";
  }

  fieldset.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey) commit.click();
  });

  commit.addEventListener("click", () => {
    const key = chosen();
    if (!key) return;
    asked = true;
    clearTimeout(patience);
    patience = setTimeout(() => {
      told.replaceChildren(element("p", "", "Python is busy or has stopped. What is said to your choice follows when it answers; if it does not, restart the kernel and run this cell again."));
    }, 4000);
    send({ commit: key });
  });

  others.addEventListener("click", () => send({ others: true }));

  // After a restart of the kernel the page still shows this prediction, but nobody is at the other end.
  function send(message) {
    try {
      model.send(message);
    } catch (error) {
      clearTimeout(patience);
      console.warn("Python can't be reached.", error);
      write(notice, "This belongs to a kernel that is gone. Run this cell again, then choose.");
      notice.hidden = false;
    }
  }

  function update() {
    const committed = model.get("committed");
    const explanations = model.get("told");
    const all = explanations.length >= labels.size;
    if (committed) clearTimeout(patience);
    for (const [key, label] of labels) {
      const radio = label.querySelector("input");
      radio.disabled = Boolean(committed);
      if (committed) radio.checked = key === committed;
      label.classList.toggle("dscourse-chosen", key === committed);
    }
    commit.hidden = Boolean(committed);
    others.hidden = !committed || all;
    if (committed) {
      told.replaceChildren(...explanations.map(([key, text]) => {
        const line = element("p");
        line.append(element("strong", "", key === committed ? `You chose ${key}. ` : `${key}) `), element("span", "", text));
        return line;
      }));
    }
    write(notice, model.get("notice"));
    notice.hidden = !model.get("notice");
    if (asked && committed) told.focus(); // the button that had the focus is gone
  }

  model.on("change:committed change:told change:notice", update);
  update();
  return () => {
    model.off("change:committed change:told change:notice", update);
    clearTimeout(patience);
  };
}

export default { render };
