// A picture that can be replaced. The next one takes the place of the last when it is there, and is decoded with the
// frame that shows it, so nothing flickers (`decode()` would wait for a frame of its own); of several that arrive
// meanwhile only the latest is shown. Text goes in as text, never as HTML.

/** No line ends in the middle of 25 600 or 5 %. */
export function numbersKeptWhole(text) {
  return text.replace(/(?<=\d) (?=\d{3}(?!\d)|%)/g, "\u00a0");
}

function render({ model, el }) {
  const figure = document.createElement("figure");
  figure.className = "dscourse-figure";
  const caption = document.createElement("figcaption");
  const problem = document.createElement("p");
  problem.className = "dscourse-problem";
  problem.setAttribute("role", "alert");
  let image = document.createElement("img");
  figure.append(image, problem, caption);
  el.append(figure);
  let wanted = 0;

  async function showPicture() {
    const turn = ++wanted;
    const next = document.createElement("img");
    next.alt = model.get("alt");
    next.style.width = `${model.get("width")}px`;
    next.decoding = "sync";
    const there = new Promise((done) => (next.onload = next.onerror = done));
    next.src = URL.createObjectURL(new Blob([model.get("png")], { type: "image/png" }));
    await there;
    if (turn !== wanted) {
      URL.revokeObjectURL(next.src);
      return;
    }
    image.replaceWith(next);
    URL.revokeObjectURL(image.src);
    image = next;
    caption.textContent = numbersKeptWhole(model.get("caption"));
    figure.dataset.turn = String(turn);
  }

  // A change can leave the picture as it was, to the last byte, and still have something else to say.
  function showWords() {
    image.alt = model.get("alt");
    caption.textContent = numbersKeptWhole(model.get("caption"));
  }

  // A figure that was saved with its notebook, and is shown without its kernel: the controls move, and nobody draws.
  const saved = model.get("layout")?.comm_live === false;

  function showProblem() {
    problem.textContent = saved ? "This figure belongs to a kernel that is gone. Run this cell again to redraw it." : model.get("problem");
    problem.hidden = !problem.textContent;
    figure.classList.toggle("dscourse-outdated", Boolean(model.get("problem")));
  }

  model.on("change:png", showPicture);
  model.on("change:alt", showWords);
  model.on("change:problem", showProblem);
  showPicture();
  showProblem();
  return () => {
    wanted = -1;
    model.off("change:png", showPicture);
    model.off("change:alt", showWords);
    model.off("change:problem", showProblem);
    URL.revokeObjectURL(image.src);
  };
}

export default { render };
