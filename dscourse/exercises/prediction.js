// A prediction in the page: answer, commit.

const SVG = "http://www.w3.org/2000/svg";

function drawn(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text) made.textContent = text;
  return made;
}

const rounded = (value) => Number(value.toPrecision(4));

// ── A control of each kind: {node, value() or null, show(value), lock()}; changed() is called when it is moved ──

function choice({ options }, changed) {
  const group = `dscourse-prediction-${Math.random()}`; // radio buttons of one name exclude each other, page-wide
  const node = element("div");
  const labels = options.map(([key, text]) => {
    const label = element("label");
    const radio = element("input");
    Object.assign(radio, { type: "radio", name: group, value: key });
    radio.addEventListener("change", changed);
    label.append(radio, element("span", "", `${key}) ${text}`));
    node.append(label);
    return { label, radio, text };
  });
  return {
    node,
    value: () => labels.find(({ radio }) => radio.checked)?.radio.value ?? null,
    show(value) {
      for (const { label, radio, text } of labels) {
        radio.checked = text === value;
        label.classList.toggle("dscourse-chosen", radio.checked);
      }
    },
    lock() { for (const { radio } of labels) radio.disabled = true; },
  };
}

function number({ low, high, step, unit }, changed) {
  const node = element("div", "dscourse-number");
  const slider = element("input");
  Object.assign(slider, { type: "range", min: low, max: high, step, value: (low + high) / 2 });
  slider.setAttribute("aria-label", unit ? `your number, ${unit}` : "your number");
  const said = element("output", "", "move the slider");
  let moved = false;
  const write_ = () => { said.textContent = `${rounded(slider.valueAsNumber)} ${unit}`.trim(); };
  const move = () => { moved = true; write_(); changed(); };
  slider.addEventListener("input", move);
  slider.addEventListener("pointerup", move); // the middle is an answer, too
  slider.addEventListener("keydown", (event) => { if (event.key === " ") { event.preventDefault(); move(); } });
  const row = element("div");
  row.append(element("span", "", String(low)), slider, element("span", "", String(high)));
  node.append(row, said);
  return {
    node,
    value: () => (moved ? rounded(slider.valueAsNumber) : null),
    show(value) { slider.value = value; write_(); },
    lock() { slider.disabled = true; },
  };
}

function curve({ at, low, high, step, across, along }, changed) {
  const [wide, tall, left, bottom] = [420, 220, 50, 40];
  const node = element("div");
  const picture = drawn("svg", { viewBox: `0 0 ${left + wide} ${tall + bottom}`, class: "dscourse-curve", role: "group", "aria-label": along });
  const x = (place) => left + (wide / at.length) * (place + 0.5);
  const y = (value) => tall - ((value - low) / (high - low)) * (tall - 12);
  picture.append(
    drawn("path", { d: `M${left} 6V${tall}H${left + wide}`, class: "dscourse-axis" }),
    drawn("text", { x: left - 5, y: 15, "text-anchor": "end" }, String(high)),
    drawn("text", { x: left - 5, y: tall, "text-anchor": "end" }, String(low)),
    drawn("text", { x: left + wide / 2, y: tall + 34, "text-anchor": "middle" }, across),
    drawn("text", { x: left + 6, y: 12 }, along),
  );
  const line = drawn("polyline", { class: "dscourse-line" });
  picture.append(line);
  let locked = false;
  const points = at.map((place, index) => {
    picture.append(drawn("text", { x: x(index), y: tall + 16, "text-anchor": "middle" }, place));
    const dot = drawn("circle", { cx: x(index), r: 8, tabindex: 0, role: "slider", "aria-label": `${along} at ${across} ${place}`, "aria-valuemin": low, "aria-valuemax": high });
    const point = { dot, value: (low + high) / 2, placed: false };
    dot.addEventListener("pointerdown", (event) => { if (!locked) { dot.setPointerCapture(event.pointerId); dot.focus(); } });
    dot.addEventListener("pointermove", (event) => {
      if (locked || !dot.hasPointerCapture(event.pointerId)) return;
      const box = picture.getBoundingClientRect();
      const height = (event.clientY - box.top) * ((tall + bottom) / box.height);
      place_(point, low + ((tall - height) / (tall - 12)) * (high - low));
    });
    dot.addEventListener("keydown", (event) => {
      const moves = { ArrowUp: step, ArrowDown: -step, PageUp: 10 * step, PageDown: -10 * step, Home: -Infinity, End: Infinity, " ": 0 };
      if (locked || !(event.key in moves)) return;
      event.preventDefault();
      place_(point, point.value + moves[event.key]);
    });
    picture.append(dot);
    return point;
  });
  function place_(point, value) {
    point.value = rounded(Math.min(high, Math.max(low, low + Math.round((value - low) / step) * step || (value > low ? high : low))));
    point.placed = true;
    draw();
    changed();
  }
  function draw() {
    for (const { dot, value, placed } of points) {
      dot.setAttribute("cy", y(value));
      dot.setAttribute("aria-valuenow", value);
      dot.setAttribute("aria-valuetext", placed ? String(value) : "not placed yet");
      dot.classList.toggle("dscourse-placed", placed);
    }
    line.setAttribute("points", points.map(({ value }, place) => `${x(place)},${y(value)}`).join(" "));
    said.textContent = points.every(({ placed }) => placed) ? points.map(({ value }) => value).join(", ") : "Drag each point, or move it with the arrow keys.";
  }
  const said = element("output");
  node.append(picture, said);
  draw();
  return {
    node,
    value: () => (points.every(({ placed }) => placed) ? points.map(({ value }) => value) : null),
    show(values) { points.forEach((point, place) => Object.assign(point, { value: values[place], placed: true })); draw(); },
    lock() { locked = true; },
  };
}

function node({ nodes, edges }, changed) {
  const [wide, tall, edge] = [320, 200, 26];
  const box = element("div");
  const picture = drawn("svg", { viewBox: `0 0 ${wide} ${tall}`, class: "dscourse-nodes", role: "radiogroup", "aria-label": "the nodes" });
  const places = new Map(nodes.map(([name, x, y]) => [name, [edge + x * (wide - 2 * edge), edge + y * (tall - 2 * edge)]]));
  for (const [a, b] of edges) {
    const [[x1, y1], [x2, y2]] = [places.get(a), places.get(b)];
    picture.append(drawn("line", { x1, y1, x2, y2 }));
  }
  let [chosen, locked] = [null, false];
  const shapes = nodes.map(([name], place) => {
    const [cx, cy] = places.get(name);
    const shape = drawn("g", { role: "radio", tabindex: 0, "aria-label": name, "aria-checked": "false" });
    shape.append(drawn("circle", { cx, cy, r: 17 }), drawn("text", { x: cx, y: cy + 4, "text-anchor": "middle" }, name));
    shape.addEventListener("click", () => choose(name));
    shape.addEventListener("keydown", (event) => {
      if (event.key === " ") { event.preventDefault(); choose(name); }
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!step) return;
      event.preventDefault();
      const next = (place + step + nodes.length) % nodes.length;
      shapes[next].focus();
      choose(nodes[next][0]);
    });
    picture.append(shape);
    return shape;
  });
  function choose(name) {
    if (locked) return;
    show(name);
    changed();
  }
  function show(name) {
    chosen = name;
    shapes.forEach((shape, place) => shape.setAttribute("aria-checked", String(nodes[place][0] === name)));
  }
  box.append(picture);
  return { node: box, value: () => chosen, show, lock() { locked = true; } };
}

const KINDS = { choice, number, curve, node };

// ── The whole ───────────────────────────────────────────────────────────────────────────────────────────────

function render({ model, el }) {
  const root = element("div", "dscourse-prediction");
  const letGo = keepKeys(root);
  const fieldset = element("fieldset");
  const legend = element("legend");
  const question = element("span", "", model.get("question"));
  legend.append(element("strong", "", "Prediction. "), question);
  const commit = button("Commit", send);
  commit.disabled = true;
  const control = KINDS[model.get("kind")](model.get("settings"), () => { commit.disabled = control.value() === null; });
  fieldset.append(legend, control.node);
  const told = element("p", "dscourse-told");
  told.setAttribute("role", "status");
  told.tabIndex = -1;
  const notice = element("p", "dscourse-notice");
  root.append(fieldset, commit, told, notice);
  el.append(root);

  let asked = false;
  let stopWaiting = () => {};

  fieldset.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey) commit.click();
  });

  function send() {
    const answer = control.value();
    if (answer === null) return;
    asked = true;
    stopWaiting();
    stopWaiting = ask(
      model,
      { commit: answer },
      () => write(told, "Python is busy or has stopped. Your prediction counts when it answers; if it does not, restart the kernel and run this cell again."),
      () => {
        write(notice, "This belongs to a kernel that is gone. Run this cell again, then commit.");
        notice.hidden = false;
      },
    );
  }

  function update() {
    const committed = model.get("committed");
    const done = committed !== null && committed !== undefined;
    commit.hidden = done;
    if (done) {
      stopWaiting();
      control.show(committed);
      control.lock();
      write(told, `You expect: ${model.get("expected")}. The run decides.`);
    }
    write(notice, model.get("notice"));
    notice.hidden = !model.get("notice");
    if (asked && done) told.focus(); // the button that had the focus is gone
  }

  model.on("change:committed change:expected change:notice", update);
  update();
  return () => {
    model.off("change:committed change:expected change:notice", update);
    stopWaiting();
    letGo();
  };
}

export default { render };
