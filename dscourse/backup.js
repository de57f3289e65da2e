// Two buttons: take my work with me, bring it back. Text goes in as text, never as HTML.
const PART = 1_000_000; // bytes of a message
const GONE = "This belongs to a kernel that is gone. Run this cell again.";

function render({ model, el }) {
  const root = document.createElement("div");
  root.className = "dscourse-backup";
  const button = (text) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.style.marginRight = "0.6em";
    root.append(made);
    return made;
  };
  const save = button("Take my work with me");
  const back = button("Bring it back …");
  const file = document.createElement("input");
  file.type = "file";
  file.accept = ".zip";
  file.hidden = true;
  const told = document.createElement("p");
  told.setAttribute("role", "status");
  told.style.whiteSpace = "pre-wrap";
  root.append(file, told);
  el.append(root);

  function send(...messages) {
    if (model.get("layout")?.comm_live === false) {
      told.textContent = GONE;
      return;
    }
    told.textContent = "…";
    try {
      for (const [message, buffers] of messages) model.send(message, undefined, buffers);
    } catch (error) {
      told.textContent = GONE;
      console.warn("Python can't be reached.", error);
    }
  }

  save.addEventListener("click", () => send([{ do: "save" }]));
  back.addEventListener("click", () => file.click());
  file.addEventListener("change", async () => {
    if (!file.files.length) return;
    const content = await file.files[0].arrayBuffer();
    file.value = "";
    const messages = [];
    for (let at = 0; at < content.byteLength; at += PART) messages.push([{ do: "part" }, [content.slice(at, at + PART)]]);
    send(...messages, [{ do: "restore" }]);
  });

  function answered() {
    told.textContent = model.get("told");
    const content = model.get("content");
    if (!content?.byteLength) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([content], { type: "application/zip" }));
    link.download = "my-work.zip";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }

  model.on("change:turn", answered);
  return () => model.off("change:turn", answered);
}

export default { render };
