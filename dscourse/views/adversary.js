// The learner as the adversary. The page shows what waits; every click goes to Python as one step, and a whole new state
// comes back. Text goes in as text, never as HTML.

/** Make an element: attributes by name, `text`, event handlers as functions; children are elements. */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

export const KEYS = [
  ["↑ ↓", "from one thing that waits to the next"],
  ["← →", "from node to node"],
  ["Enter", "deliver the message, fire the timer"],
  ["L", "lose the message"],
  ["D", "double the message"],
  ["C", "crash or restart the node"],
  ["A", "let the next client ask"],
  ["U", "undo the last step"],
];

/** What a key press means, or null if the key is not ours. A press with Ctrl, Alt or the like, and Shift + Enter, never is. */
export function commandFor({ key, shiftKey = false, ctrlKey = false, metaKey = false, altKey = false }) {
  if (ctrlKey || metaKey || altKey || shiftKey) return null;
  const plain = { ArrowUp: "up", ArrowDown: "down", ArrowLeft: "left", ArrowRight: "right" };
  const letters = { l: "lose", d: "double", c: "crash", a: "ask", u: "undo" };
  return plain[key] ?? letters[key] ?? null;
}

/** Where the focus goes when what had it is gone: the same thing, or the nearest in the same column, or the first there is. */
export function nextFocus(columns, key, column, place) {
  const all = columns.flat();
  if (all.includes(key)) return key;
  const there = columns[column] ?? [];
  return there[Math.min(place, there.length - 1)] ?? all[0] ?? null;
}

function render({ model, el }) {
  let busy = false;
  let focus = { key: null, column: 0, place: 0, wanted: false };
  const lights = make("ul", { class: "da-lights" });
  const nodes = make("div", { class: "da-nodes" });
  const steps = make("ol", { class: "da-steps", tabindex: "0", "aria-label": "steps so far" });
  const source = make("pre", { class: "da-source", tabindex: "0", "aria-label": "the node's code" });
  const problem = make("p", { class: "da-problem", role: "alert" });
  const score = make("p", { class: "da-score" });
  const told = make("p", { class: "da-told", "aria-live": "polite" });
  const tool = (text, label, press) => make("button", { type: "button", text, title: label, click: press });
  const undo = tool("Undo", "undo the last step (U)", () => send({ type: "undo" }));
  const ask = tool("Ask", "let the next client ask (A)", () => shown.ask && step(shown.ask.step));
  const shortest = tool("Could it be shorter?", "how few steps would do", () => send({ type: "shortest" }));
  const copy = tool("Copy as script", "copy the steps as Python", copySteps);
  const tools = make("div", { class: "da-tools" }, undo, ask,
    tool("Start again", "take back all steps", () => send({ type: "restart" })), copy,
    tool("Open in the player", "play the schedule, below", () => send({ type: "play" })), shortest);
  const keys = make("details", { class: "da-keys" }, make("summary", { text: "Keys" }),
    make("dl", {}, ...KEYS.flatMap(([key, does]) => [make("dt", { text: key }), make("dd", { text: does })])));
  const root = make("div", { class: "dscourse-adversary", role: "group", "aria-label": "you are the adversary", "data-lm-suppress-shortcuts": "true" },
    lights, tools, problem, score,
    make("div", { class: "da-stage" }, nodes,
      make("div", { class: "da-side" }, make("h4", { text: "Steps" }), steps, make("h4", { text: "The node's code" }), source)),
    keys, told);
  el.append(root);
  let shown = { nodes: [], steps: [], properties: [], ask: null, asks: false, over: false };

  function send(command) {
    if (busy) return;
    if (model.get("layout")?.comm_live === false) {  // after a restart of the kernel, or saved with the notebook
      problem.textContent = "This belongs to a kernel that is gone. Run this cell again.";
      problem.hidden = false;
      return;
    }
    busy = true;
    root.setAttribute("aria-busy", "true");
    model.send(command);
  }

  function step(value) {
    if (!shown.over) send({ type: "step", step: value });
  }

  const mailStep = (kind, to, mail) => ({ step: kind, sender: mail.sender, to, ...(mail.nth > 1 ? { nth: mail.nth } : {}) });

  async function copySteps() {
    const text = model.get("code");
    try {
      await navigator.clipboard.writeText(text);
      told.textContent = "The steps are copied.";
    } catch (error) {
      const box = make("textarea", { class: "da-copy", "aria-label": "the steps as code", readonly: true });
      box.value = text;
      copy.after(box);
      box.select();
      told.textContent = "Copy the marked text.";
      box.addEventListener("blur", () => box.remove());
    }
  }

  // --- drawing

  function line(node, key, words, main, more) {
    const press = make("button", { type: "button", class: "da-main", "data-key": key, text: words, title: main.title, disabled: shown.over, click: main.press });
    const others = more.map(({ text, label, press: act }) =>
      make("button", { type: "button", class: "da-other", text, tabindex: "-1", "aria-label": label, title: label, disabled: shown.over, click: act }));
    return make("li", {}, press, ...others);
  }

  function mailLine(node, mail) {
    const words = `from ${mail.sender}: ${mail.text}${mail.copy ? " (copy)" : ""}`;
    const about = (what) => `${what} ${mail.text} from ${mail.sender} to ${node.id}`;
    return line(node, `${node.id} mail ${mail.key}`, words,
      { title: node.up ? about("deliver") : about("drop, for the node is down:"), press: () => step(mailStep("Deliver", node.id, mail)) },
      [{ text: "lose", label: about("lose"), press: () => step(mailStep("Lose", node.id, mail)) },
        { text: "×2", label: about("double"), press: () => step(mailStep("Repeat", node.id, mail)) }]);
  }

  function timerLine(node, timer) {
    return line(node, `${node.id} timer ${timer.name}`, `timer ${timer.name}`,
      { title: `fire timer ${timer.name} of ${node.id}; its clock will then show ${timer.due} s`, press: () => step({ step: "Fire", node: node.id, timer: timer.name }) }, []);
  }

  function fieldRow(field) {
    const value = make(field.changed ? "strong" : "span", { text: field.text });
    return make("tr", { class: field.changed ? "da-changed" : "" }, make("th", { scope: "row", text: field.name }), make("td", {}, value));
  }

  function nodeCard(node) {
    const power = make("button", { type: "button", class: "da-power", "data-key": `${node.id} power`, text: node.up ? "Crash" : "Restart",
      "aria-label": `${node.up ? "crash" : "restart"} ${node.id}`, disabled: shown.over, click: () => step({ step: node.up ? "Down" : "Up", node: node.id }) });
    const waits = [...node.mails.map((mail) => mailLine(node, mail)), ...node.timers.map((timer) => timerLine(node, timer))];
    const state = node.up ? node.label : "✕ down";
    return make("section", { class: `da-node${node.up ? "" : " da-down"}`, "data-node": node.id, "aria-label": `${node.id}, ${state || "up"}` },
      make("header", {}, make("strong", { text: node.id }), make("span", { class: "da-state", text: state }),
        make("span", { class: "da-clock", text: `${node.clock} s`, title: "its own clock" }), power),
      make("table", {}, make("tbody", {}, ...node.fields.map(fieldRow))),
      make("ul", { class: "da-waits", "aria-label": `what waits at ${node.id}` }, ...(waits.length ? waits : [make("li", { class: "da-nothing", text: "nothing waits" })])));
  }

  function light(property) {
    const mark = property.broken ? "✗" : "✓";
    return make("li", { class: property.broken ? "da-broken" : "" }, make("span", { class: "da-mark", "aria-hidden": "true", text: mark }),
      make("strong", { text: property.name }), make("span", { text: ` ${property.words}` }));
  }

  const columns = () => [...nodes.querySelectorAll(".da-node")].map((card) => [...card.querySelectorAll("[data-key]")].filter((one) => !one.disabled));
  const keysOf = (all) => all.map((column) => column.map((one) => one.dataset.key));

  function show() {
    const had = root.contains(document.activeElement) && nodes.contains(document.activeElement);
    const before = shown;
    shown = JSON.parse(model.get("shown"));
    nodes.replaceChildren(...shown.nodes.map(nodeCard));
    lights.replaceChildren(...shown.properties.map(light));
    steps.replaceChildren(...shown.steps.map((words) => make("li", { text: words })));
    steps.scrollTop = steps.scrollHeight;
    undo.disabled = shown.steps.length === 0;
    ask.disabled = !shown.ask || shown.over;
    ask.textContent = shown.ask ? shown.ask.words : "nobody asks any more";
    ask.hidden = !shown.asks;
    const broken = shown.properties.filter((property) => property.broken);
    shortest.hidden = broken.length === 0;
    root.classList.toggle("da-won", broken.length > 0);
    if (shown.steps.length !== before.steps.length) {
      const last = shown.steps.length ? shown.steps[shown.steps.length - 1] : "no steps";
      told.textContent = [last, ...broken.map((property) => `${property.name}: ${property.words}`)].join(". ");
    }
    if (had || focus.wanted) putFocus();
    root.dataset.steps = String(shown.steps.length);
    root.dataset.ready = "yes";
  }

  function putFocus() {
    const all = columns();
    const key = nextFocus(keysOf(all), focus.key, focus.column, focus.place);
    all.flat().find((one) => one.dataset.key === key)?.focus();
  }

  function showProblem() {
    problem.textContent = model.get("problem");
    problem.hidden = !model.get("problem");
  }

  function showScore() {
    score.textContent = model.get("score");
    score.hidden = !model.get("score");
  }

  function answered() {
    busy = false;
    root.setAttribute("aria-busy", "false");
  }

  // --- keys

  nodes.addEventListener("focusin", ({ target }) => {
    const all = keysOf(columns());
    const key = target.closest("li, header")?.querySelector("[data-key]")?.dataset.key;
    const column = all.findIndex((one) => one.includes(key));
    if (column >= 0) focus = { key, column, place: all[column].indexOf(key), wanted: false };
  });

  function move(columnsOn, placesOn) {
    const all = columns();
    if (!nodes.contains(document.activeElement)) return putFocus();
    const column = (focus.column + columnsOn + all.length) % all.length;
    const there = all[column];
    const place = columnsOn ? Math.min(focus.place, there.length - 1) : (focus.place + placesOn + there.length) % there.length;
    there[place]?.focus();
  }

  function pressBeside(text) {
    const beside = document.activeElement?.closest(".da-waits li");
    [...(beside?.querySelectorAll(".da-other") ?? [])].find((one) => one.textContent === text)?.click();
  }

  const does = {
    up: () => move(0, -1), down: () => move(0, 1), left: () => move(-1, 0), right: () => move(1, 0),
    lose: () => pressBeside("lose"), double: () => pressBeside("×2"),
    crash: () => document.activeElement?.closest(".da-node")?.querySelector(".da-power")?.click(),
    ask: () => ask.click(), undo: () => undo.click(),
  };

  // Keys are ours, and none of JupyterLab's shortcuts, but for Shift + Enter: it runs the cell, wherever the focus is.
  const runsCell = (event) => event.shiftKey && event.key === "Enter";
  const letThrough = (event) => root.toggleAttribute("data-lm-suppress-shortcuts", !runsCell(event));
  window.addEventListener("keydown", letThrough, true);

  // The button under the focus is not pressed by it. (To prevent the event's default would keep JupyterLab off, too.)
  let ignoresClick = false;
  root.addEventListener("click", (event) => {
    if (!ignoresClick) return;
    event.stopPropagation();
    event.preventDefault();
  }, true);

  root.addEventListener("keydown", (event) => {
    if (runsCell(event)) {
      ignoresClick = true;
      setTimeout(() => { ignoresClick = false; });
      return;
    }
    event.stopPropagation();
    const inText = event.target === source || event.target === steps || event.target.tagName === "TEXTAREA";
    const command = inText ? null : commandFor(event);
    if (!command) return;
    event.preventDefault();
    does[command]();
  });
  for (const kind of ["keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation());

  const listeners = { "change:shown": show, "change:problem": showProblem, "change:score": showScore, "change:answered": answered };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  source.textContent = model.get("source");
  show();
  showProblem();
  showScore();
  answered();
  return () => {
    window.removeEventListener("keydown", letThrough, true);
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  };
}

export default { render };
