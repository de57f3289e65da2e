// Make a history by hand. The learner drags operations, or writes them; when one is let go, the whole history goes to
// Python as text, and the verdicts of all models come back. Text goes in as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";
const ROW = 40, BAR = 26, LEFT = 30, TOP = 6, STEP = 0.5, LAST = 14, WIDTH = 760;
const UNIT = (WIDTH - LEFT - 8) / LAST;

export const KEYS = [
  ["Tab", "from one operation to the next"],
  ["← →", "earlier, later"],
  ["Shift + ← →", "end earlier, later"],
  ["↑ ↓", "to another process"],
  ["W, R", "a write, a read"],
  ["X, Y, Z", "of this key"],
  ["0 … 9, −", "of this value, of nothing"],
  ["?", "outcome unknown, and known again"],
  ["N", "one more operation"],
  ["Delete", "away with it"],
];

/** Read a history of one line an operation; lines that are none are left out. */
export function parse(text) {
  const found = [];
  for (const part of text.split(/[;\n]/)) {
    const fit = part.trim().match(/^([\w/]+)\s+(write|read|put|get|w|r)\s+(?:(\w+)\s*=\s*)?([\w.+]+|-)\s+(-?[\d.]+)\s*(?:-|–|to)\s*(-?[\d.]+|\?)$/);
    if (!fit) continue;
    const [, process, kind, key, value, start, end] = fit;
    found.push({ process, kind: "wp".includes(kind[0]) ? "write" : "read", key: key ?? "x", value,
      start: Number(start), end: end === "?" ? null : Number(end) });
  }
  return found;
}

/** Write a history as Python reads it. */
export function written(operations) {
  return operations.map((one) => `${one.process} ${one.kind} ${one.key}=${one.value} ${one.start}-${one.end ?? "?"}`).join("\n");
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));
const length = (one) => (one.end ?? one.start + 1) - one.start;

/** The operation after a key press; null if the key isn't ours. A press with Ctrl, Alt or the like never is. */
export function changed(one, { key, shiftKey = false, ctrlKey = false, metaKey = false, altKey = false }, processes) {
  if (ctrlKey || metaKey || altKey) return null;
  const by = { ArrowLeft: -STEP, ArrowRight: STEP }[key];
  if (by !== undefined && shiftKey) return one.end === null ? one : { ...one, end: clamp(one.end + by, one.start, LAST) };
  if (by !== undefined) return moved(one, one.start + by, one.process);
  const place = processes.indexOf(one.process);
  if (key === "ArrowUp" || key === "ArrowDown") {
    return { ...one, process: processes[clamp(place + (key === "ArrowUp" ? -1 : 1), 0, processes.length - 1)] };
  }
  if (/^[wWrR]$/.test(key)) return { ...one, kind: key.toLowerCase() === "w" ? "write" : "read" };
  if (/^[xyzXYZ]$/.test(key)) return { ...one, key: key.toLowerCase() };
  if (/^[0-9-]$/.test(key)) return { ...one, value: key };
  if (key === "?") return { ...one, end: one.end === null ? Math.min(LAST, one.start + 1) : null };
  return null;
}

/** The operation moved to another start, and process; it keeps its length and stays on the page. */
export function moved(one, start, process) {
  const long = length(one);
  const begin = clamp(Math.round(start / STEP) * STEP, 0, LAST - long);
  return { ...one, process, start: begin, end: one.end === null ? null : begin + long };
}

/** A write of a value that nobody has written yet. */
export function fresh(operations, process, start) {
  const used = new Set(operations.map((one) => one.value));
  let value = 1;
  while (used.has(String(value))) value += 1;
  return moved({ process, kind: "write", key: "x", value: String(value), start, end: start + 1 }, start, process);
}

function make(tag, attributes = {}, ...children) {
  const svg = ["svg", "g", "rect", "line", "text", "path", "title"].includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

function render({ model, el }) {
  let operations = parse(model.get("text"));
  let selected = operations.length ? 0 : -1;
  let looked = null; // the model whose deciding operations are shown
  let drag = null;
  const stage = make("div", { class: "dh-stage" });
  const tree = make("div", { class: "dh-tree", role: "group", "aria-label": "which models allow it" });
  const why = make("p", { class: "dh-why", "aria-live": "polite" });
  const goal = make("p", { class: "dh-goal", "aria-live": "polite" });
  const problem = make("p", { class: "dh-problem", role: "alert" });
  const text = make("textarea", { class: "dh-text", rows: "5", spellcheck: "false", "aria-label": "the history as text", change: () => send(text.value) });
  const tools = make("div", { class: "dh-tools" });
  const keys = make("details", { class: "dh-keys" }, make("summary", { text: "Keys" }),
    make("dl", {}, ...KEYS.flatMap(([key, does]) => [make("dt", { text: key }), make("dd", { text: does })])));
  const root = make("div", { class: "dscourse-history", role: "group", "aria-label": "make a history", "data-lm-suppress-shortcuts": "true" },
    goal, make("div", { class: "dh-columns" }, make("div", {}, stage, tools, problem, make("details", {}, make("summary", { text: "As text" }), text)),
      make("div", {}, tree, why)), keys);
  el.append(root);

  const processes = () => [...new Set([..."abcd", ...operations.map((one) => one.process)])];
  const verdicts = () => JSON.parse(model.get("verdicts"));
  const result = (name) => verdicts().find((one) => one.name === name);

  function send(value) {
    model.set("text", value);
    model.save_changes();
  }

  function put(next, focus = true) {
    operations = next;
    looked = null;
    draw(focus);
    send(written(operations));
  }

  function change(place, one) {
    put(operations.map((other, at) => (at === place ? one : other)));
  }

  function add() {
    const all = processes();
    const process = selected >= 0 ? operations[selected].process : all[0];
    const ends = operations.filter((one) => one.process === process).map((one) => one.end ?? LAST);
    selected = operations.length;
    put([...operations, fresh(operations, process, Math.max(0, ...ends.map((end) => end + 1)))]);
  }

  function remove() {
    if (selected < 0) return;
    const next = operations.filter((_, at) => at !== selected);
    selected = Math.min(selected, next.length - 1);
    put(next);
  }

  function press(event) {
    if (event.key === "Delete" || event.key === "Backspace") remove();
    else if (event.key.toLowerCase() === "n" && !event.ctrlKey && !event.metaKey && !event.altKey) add();
    else {
      const one = changed(operations[selected], event, processes());
      if (one === null) return;
      change(selected, one);
    }
    event.preventDefault();
    event.stopPropagation();
  }

  function at(event) {
    const box = stage.querySelector("svg").getBoundingClientRect();
    const scale = WIDTH / box.width;
    const row = Math.floor(((event.clientY - box.top) * scale - TOP) / ROW);
    return { time: ((event.clientX - box.left) * scale - LEFT) / UNIT, process: processes()[clamp(row, 0, processes().length - 1)] };
  }

  function down(event, place, part) {
    event.preventDefault();
    event.stopPropagation();
    selected = place;
    const spot = at(event);
    drag = { part, place, from: operations[place], offset: spot.time - operations[place].start, was: written(operations) };
    draw(true);
    stage.setPointerCapture(event.pointerId);
  }

  function move(event) {
    if (!drag) return;
    const spot = at(event);
    const from = drag.from;
    const snapped = Math.round(spot.time / STEP) * STEP;
    const one = drag.part === "end" ? { ...from, end: clamp(snapped, from.start, LAST) }
      : drag.part === "start" ? { ...from, start: clamp(snapped, 0, from.end ?? LAST) }
      : moved(from, spot.time - drag.offset, spot.process);
    operations = operations.map((other, at) => (at === drag.place ? one : other));
    draw(false);
  }

  function up() {
    if (!drag) return;
    const was = drag.was;
    drag = null;
    draw(true);
    if (written(operations) !== was) {
      looked = null;
      send(written(operations));
    }
  }
  stage.addEventListener("pointermove", move);
  stage.addEventListener("pointerup", up);
  stage.addEventListener("pointercancel", up);

  function bar(one, place, rows) {
    const y = TOP + rows.indexOf(one.process) * ROW + (ROW - BAR) / 2;
    const x = LEFT + one.start * UNIT;
    const wide = one.end === null ? WIDTH - 8 - x : Math.max(8, (one.end - one.start) * UNIT);
    const shown = looked && model.get("text") === written(operations) ? result(looked) : null;
    const decides = shown?.deciding.includes(place), culprit = shown?.culprit === place;
    const label = `${one.kind === "write" ? "w" : "r"} ${one.key}=${one.value}`;
    const name = `${one.process}: ${one.kind} ${one.key} = ${one.value === "-" ? "nothing" : one.value}, ${one.start} to ${one.end ?? "unknown"}${culprit ? ", can't be placed" : decides ? ", decides" : ""}`;
    const group = make("g", {
      class: ["dh-op", `dh-${one.kind}`, one.end === null && "dh-open", decides && "dh-decides", culprit && "dh-culprit", place === selected && "dh-selected"].filter(Boolean).join(" "),
      tabindex: "0", role: "button", "aria-label": name, "data-place": place,
      focus: () => { if (selected !== place) { selected = place; draw(true); } },
      keydown: press, pointerdown: (event) => down(event, place, "body") });
    group.append(make("rect", { x, y, width: wide, height: BAR, rx: 4 }), make("title", { text: name }));
    if (one.end !== null) {
      group.append(make("rect", { class: "dh-grip", x: x - 4, y, width: 8, height: BAR, pointerdown: (event) => down(event, place, "start") }));
      group.append(make("rect", { class: "dh-grip", x: x + wide - 4, y, width: 8, height: BAR, pointerdown: (event) => down(event, place, "end") }));
    }
    group.append(make("text", { x: x + 5, y: y + BAR / 2 + 4, text: (culprit ? "✗ " : "") + label }));
    return group;
  }

  function drawStage() {
    const rows = processes();
    const high = TOP + rows.length * ROW + 18;
    const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${high}`, class: "dh-svg", role: "group", "aria-label": "operations over time" });
    rows.forEach((process, row) => {
      const y = TOP + row * ROW;
      svg.append(make("rect", { class: "dh-lane", x: LEFT, y: y + 2, width: WIDTH - LEFT - 8, height: ROW - 4,
        pointerdown: (event) => { const spot = at(event); selected = operations.length; put([...operations, fresh(operations, spot.process, Math.floor(spot.time))]); } }));
      svg.append(make("text", { x: 8, y: y + ROW / 2 + 5, class: "dh-process", text: process }));
    });
    for (let time = 0; time <= LAST; time += 1) {
      svg.append(make("text", { x: LEFT + time * UNIT, y: high - 4, class: "dh-tick", text: String(time) }));
    }
    operations.forEach((one, place) => svg.append(bar(one, place, rows)));
    stage.replaceChildren(svg);
  }

  function drawTools() {
    const one = operations[selected];
    const select = (label, options, value, set) => make("label", { text: label }, make("select", { change: (event) => set(event.target.value), "aria-label": label },
      ...options.map((option) => make("option", { text: option === "-" ? "nothing" : option, value: option, selected: option === value }))));
    const button = (label, press, disabled = false) => make("button", { type: "button", text: label, click: press, disabled });
    tools.replaceChildren(button("Add", add), button("Delete", remove, !one));
    if (!one) return;
    const values = [...new Set(["-", ..."123456789", one.value])];
    tools.append(
      select("", ["write", "read"], one.kind, (kind) => change(selected, { ...one, kind })),
      select("key", [...new Set(["x", "y", "z", one.key])], one.key, (key) => change(selected, { ...one, key })),
      select("value", values, one.value, (value) => change(selected, { ...one, value })),
      button(one.end === null ? "It returned" : "Outcome unknown", () => change(selected, changed(one, { key: "?" }, processes()))));
  }

  function drawTree() {
    const mark = { ok: "✓", illegal: "✗", unknown: "?" };
    const box = (one) => make("button", { type: "button", class: `dh-model dh-${one.outcome}`, "aria-pressed": String(looked === one.name),
      click: () => { looked = looked === one.name ? null : one.name; draw(false); } },
      make("span", { class: "dh-mark", text: mark[one.outcome], "aria-hidden": "true" }), make("span", { text: `${one.name}` }),
      make("span", { class: "dh-said", text: { ok: "allowed", illegal: "not allowed", unknown: "not decided" }[one.outcome] }));
    const all = verdicts();
    tree.replaceChildren(...all.slice(4).reverse().map(box), make("div", { class: "dh-guarantees" }, ...all.slice(0, 4).map(box)));
    const one = looked ? result(looked) : null;
    why.textContent = one ? one.explanation : all.length ? "Press a model to see which operations decide." : "";
    goal.textContent = model.get("goal");
    goal.classList.toggle("dh-done", model.get("reached"));
    problem.textContent = model.get("problem");
  }

  function draw(focus) {
    drawStage();
    drawTools();
    drawTree();
    text.value = written(operations);
    if (focus && selected >= 0) stage.querySelector(`[data-place="${selected}"]`)?.focus({ preventScroll: true });
  }

  function fromPython() {
    if (drag) return;
    if (model.get("text") !== written(operations) && !model.get("problem")) operations = parse(model.get("text"));
    const inside = stage.contains(document.activeElement);
    draw(inside);
  }
  // Keys are ours, and none of JupyterLab's shortcuts, but for Shift + Enter: it runs the cell, wherever the focus is.
  const letThrough = (event) => root.toggleAttribute("data-lm-suppress-shortcuts", !(event.shiftKey && event.key === "Enter"));
  window.addEventListener("keydown", letThrough, true);
  model.on("change:answered", fromPython);
  draw(false);
  root.dataset.ready = "yes";
  return () => {
    window.removeEventListener("keydown", letThrough, true);
    model.off("change:answered", fromPython);
  };
}

export default { render };
