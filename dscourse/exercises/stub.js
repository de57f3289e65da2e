// The code that an exercise begins with, and a button that copies it.

async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false; // no permission, or no secure page: then the code is marked, and Ctrl+C copies it
  }
}

function render({ model, el }) {
  const code = document.createElement("pre");
  code.textContent = model.get("code");
  code.style.whiteSpace = "pre-wrap";
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Copy";
  const said = document.createElement("span");
  said.setAttribute("role", "status");
  said.style.marginLeft = "0.6em";
  button.addEventListener("click", async () => {
    if (await copied(code.textContent)) {
      said.textContent = "Copied: paste it into the cell.";
      return;
    }
    getSelection().selectAllChildren(code);
    said.textContent = "Marked: press Ctrl+C (⌘C) to copy it.";
  });
  el.classList.add("dscourse-stub");
  el.append(button, said, code);
}

export default { render };
