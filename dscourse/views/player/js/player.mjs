// The player: it holds the cursor, hands keys and clicks on, and asks Python for nothing but faults, undo and the insides of nodes.

import { clusterView } from "./cluster.mjs";
import { diagramView } from "./diagram.mjs";
import { MESSAGE_SHAPES, button, make, makeSvg, readColours, say, set } from "./dom.mjs";
import { shapePath } from "./geometry.mjs";
import { bandsAt, buildHistory, mayTalk } from "./history.mjs";
import { inspectorView } from "./inspector.mjs";
import { KEYS, belongsToNotebook, commandFor } from "./keys.mjs";
import { periodicTypes } from "./lamport.mjs";
import { lanesView } from "./lanes.mjs";
import { linkActs, markedActs, messageActs, nodeActs, popupMenu, weatherActs } from "./menu.mjs";
import { buildMessages, numberOf } from "./messages.mjs";
import { BY_EVENTS, SPEEDS, advance, fittingPace } from "./pace.mjs";
import { JUMPS, jumpsOf, nextMoment, previousMoment } from "./search.mjs";
import { tasksView, visitsOf } from "./tasks.mjs";
import { timelineView } from "./timeline.mjs";
import { firstDifference, inflate, readTrace } from "./trace.mjs";
import { cursorWords, messageWords, placesFor, seconds, tellingEvents } from "./words.mjs";

const PACES = [BY_EVENTS, ...SPEEDS];
const CALM_STEP = 500; // ms between pictures for whoever asked for less motion
const LINE_EVERY = 250; // ms between changes of the text line while playing
const PATIENCE = 10000; // ms after which Python is said to be silent

/** Everything the page needs to know of a run, made once from what Python sent. */
export function prepareRun(buffer) {
  const trace = readTrace(buffer);
  const messages = buildMessages(trace);
  const types = [...new Set(messages.rows.map((row) => row.type))];
  const messageLook = (type, dark = false) => {
    const place = types.indexOf(type);
    const series = dark ? trace.seriesOnDark : trace.series;
    return { colour: series[place % series.length], shape: place % MESSAGE_SHAPES.length };
  };
  trace.places = placesFor(messages.typicalDelay);
  const periodic = periodicTypes(trace);
  return { trace, messages, history: buildHistory(trace), types, messageLook, periodic, telling: tellingEvents(trace, periodic), hiddenTypes: new Set() };
}

/** Are two blocks the same? */
export function sameBytes(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}

/** Should heartbeats be collapsed from the start? Only if there is something else to see, or there are too many to see anything. */
export function foldsAtFirst(types, periodic, parties = 2) {
  return periodic.size > 0 && (parties > 12 || types.some((type) => !periodic.has(type)));
}

function placeOfFocus(target) {
  if (target.closest(".dp-menu")) return "menu";
  if (target.closest(".dp-node")) return "node";
  if (target.matches("select")) return "choice";
  if (target.matches("textarea, input[type=text]")) return "text";
  return target.matches("button, summary, input") ? "button" : "root";
}

export function render({ model, el }) {
  const started = performance.now();
  let run = null;
  let before = null;
  let t = 0;
  let reach = 0; // how far the run has been played
  let showAll = !model.get("hides_future");
  let playing = false;
  let speed = 1;
  let marked = new Set();
  let focused = 0;
  let silence = null;
  let frame = null;
  let lastFrame = 0;
  let lineShown = 0;
  let notice = ""; // stands in the line of text until the cursor moves
  let gone = false;
  const calm = window.matchMedia("(prefers-reduced-motion: reduce)");

  // --- the page
  const cluster = clusterView("Cluster", {
    node: (party, element) => openNodeMenu(party, element),
    link: (a, b, point) => openLinkMenu(a, b, point),
    message: (row, point) => openMessageMenu(row, point),
    lasso: (parties) => markAll(parties),
    focusNode: (party) => { focused = party; },
  });
  const earlier = clusterView("Before");
  const inspector = inspectorView((time) => tellPython({ type: "fields", time }));
  const timeline = timelineView((time) => { pause(); seek(time); });
  const lanes = lanesView();
  const tasks = tasksView();
  const visit = visitsOf((name) => tellPython({ type: "visited", name }));
  const told = make("p", { class: "dp-told", role: "status", "aria-live": "polite" });
  const diagram = diagramView({ seek: (time) => { pause(); seek(time); }, tell: (text) => say(told, text) });

  const playButton = button("▶ Play", () => toggle(), { className: "dp-play" });
  const clock = make("output", { class: "dp-clock", "aria-label": "time of the cursor" });
  const speedChoice = make("select", { "aria-label": "speed", change: () => { speed = paceOf(speedChoice.value); } },
    ...PACES.map((value) => make("option", { value, text: value === BY_EVENTS ? "by events" : `${value} ×` })));
  const jumpChoice = make("select", { "aria-label": "kind of event to jump to" });
  const compareButton = button("Compare", () => setCompare(!comparing()), { title: "this run beside the one before your faults" });
  const insideButton = button("Inside", () => toggleInside(), { title: "public fields of the nodes at the cursor" });
  const wholeButton = button("Whole run", () => toggleWhole(), { title: "show all of it, or only what has been played (W)" });
  const diagramButton = button("Diagram", () => toggleDiagram(), { title: "space-time diagram (D)" });
  const revealButton = button("Reveal", () => { pause(); wait(); tellPython({ type: "reveal" }); }, { label: "Reveal the faults" });
  const undoButton = button("Undo", () => undo(), { title: "take back the last fault (U)" });
  const copyButton = button("Copy as code", () => copy(), { title: "Python that gives this run (Y)" });
  const helpButton = button("?", () => toggleHelp(), { label: "keys" });
  for (const one of [wholeButton, diagramButton, insideButton]) one.setAttribute("aria-pressed", "false");
  const controls = make("div", { class: "dp-controls", role: "toolbar", "aria-label": "player" },
    make("span", { class: "dp-group" },
      button("|◀", () => does.begin(), { label: "to the begin" }), button("◀", () => does.previous(), { label: "previous event" }), playButton,
      button("▶", () => does.next(), { label: "next event" })),
    speedChoice,
    clock,
    make("span", { class: "dp-group dp-jump" }, button("◂", () => does.previousOfKind(), { label: "previous of this kind" }),
      jumpChoice, button("▸", () => does.nextOfKind(), { label: "next of this kind" })),
    make("span", { class: "dp-group dp-right" }, wholeButton, diagramButton, insideButton, compareButton, revealButton, helpButton));

  const line = make("p", { class: "dp-line", role: "status", "aria-live": "polite", text: "Unpacking the run …" });
  const problem = make("p", { class: "dp-problem", role: "alert", hidden: true });
  const markedText = make("span");
  const markedButtons = make("span", { class: "dp-group" });
  const markedBar = make("div", { class: "dp-marked-bar", hidden: true }, markedText, markedButtons);
  const actList = make("ol", { class: "dp-acts", "aria-label": "your faults" });
  const hint = make("p", { class: "dp-hint", text: "Click a node, a link or a message to break it; drag a line around nodes to part them from the rest." });
  const code = make("pre", { class: "dp-code", tabindex: "0", hidden: true, "aria-label": "Python that gives this run" });
  const copied = make("span", { class: "dp-copied", role: "status" });
  const actBar = make("div", { class: "dp-act-bar" }, make("strong", { text: "Your faults" }), actList, make("span", { class: "dp-group dp-right" }, copied, undoButton, copyButton));
  const bar = make("div", { class: "dp-bar" }, markedBar, actBar, hint); // one of them at a time, always as high
  const help = make("dl", { class: "dp-help", hidden: true }, ...KEYS.flatMap(([keys, what]) => [make("dt", { text: keys }), make("dd", { text: what })]));

  const nodeFilter = make("details", { class: "dp-filter" });
  const typeFilter = make("details", { class: "dp-filter" });
  const foldBox = make("input", { type: "checkbox", change: () => { applyFilters(); } });
  const foldLabel = make("label", { class: "dp-group dp-check" }, foldBox, make("span", { text: "collapse heartbeats" }));
  const diagramBar = make("div", { class: "dp-controls", role: "toolbar", "aria-label": "space-time diagram" },
    nodeFilter, typeFilter, foldLabel, make("span", { class: "dp-hint", text: "Point at a message to read it, click it for its causal past." }),
    make("span", { class: "dp-group dp-right" }, button("−", () => zoomBy(0.5), { label: "show more time" }), button("+", () => zoomBy(2), { label: "show less time" })));

  const graphs = make("div", { class: "dp-graphs" }, cluster.element, earlier.element);
  earlier.element.hidden = true;
  const stage = make("div", { class: "dp-stage" }, graphs, inspector.element, tasks.element);
  const diagramPart = make("section", { "aria-label": "space-time diagram", hidden: true }, diagramBar, diagram.element);
  const root = make("div", {
    class: "dscourse-player", tabindex: "0", role: "group", "aria-label": "cluster player; press ? for the keys",
    "data-lm-suppress-shortcuts": "true",
  }, stage, line, timeline.element, lanes.element, controls, bar, problem, help, code, diagramPart, told);
  el.append(root);
  const menu = popupMenu(graphs, (act) => send(act));

  // --- time
  const schedule = () => { if (frame === null && !gone) frame = requestAnimationFrame(tick); };

  function tick(moment) {
    frame = null;
    if (!run) return;
    if (playing) {
      const passed = lastFrame ? moment - lastFrame : 0;
      if (!calm.matches || passed >= CALM_STEP || !lastFrame) {
        lastFrame = moment;
        go(advance(run, t, passed, speed), true);
        if (t >= run.trace.until) pause();
      }
      if (playing) schedule();
    }
    try {
      drawAll(moment);
    } catch (error) {
      pause();
      showProblem(`The picture can't be drawn: ${error.message}`);
      throw error;
    }
  }

  /** Put the cursor somewhere; on its way, if it plays, it passes what lies between. */
  function go(time, plays = false) {
    const from = plays ? t : time;
    if (time !== t) notice = "";
    t = time;
    reach = Math.max(reach, t);
    visit(tasks.list(), from, t);
  }

  const limit = () => (showAll ? Infinity : reach >= run.trace.until ? Infinity : reach);

  function drawAll(moment) {
    const to = limit();
    cluster.draw(t, to);
    if (!earlier.element.hidden) earlier.draw(t, to);
    timeline.draw(t, to);
    lanes.draw(t, to === Infinity ? run.trace.until : to);
    if (!diagramPart.hidden) diagram.draw(t, to);
    say(clock, `${(t / 1e6).toFixed(playing && speed !== BY_EVENTS ? 2 : run.trace.places)} s`);
    if (!playing || moment - lineShown >= LINE_EVERY) {
      const words = notice || cursorWords(run.trace, t, run.telling);
      say(line, words);
      set(line, "title", words);
      lineShown = moment;
    }
    root.dataset.time = String(t);
    if (!playing) inspector.request(t);
  }

  function seek(time) {
    if (!run || time === null) return;
    go(Math.max(0, Math.min(run.trace.until, time)));
    schedule();
  }

  function toggle() {
    if (playing) pause();
    else play();
  }

  function play() {
    if (!run) return;
    if (t >= run.trace.until) t = 0;
    playing = true;
    lastFrame = 0;
    say(playButton, "❚❚ Pause");
    set(line, "aria-live", "off"); // a screen reader would never catch up
    root.dataset.playing = "yes";
    schedule();
  }

  function pause() {
    if (!playing) return;
    playing = false;
    say(playButton, "▶ Play");
    set(line, "aria-live", "polite");
    root.dataset.playing = "no";
    schedule();
  }

  const jump = (index) => JUMPS[jumpChoice.value || "any event"](run.trace, index);

  const does = {
    toggle, begin: () => stop(0), end: () => stop(run?.trace.until ?? 0),
    next: () => stop(nextMoment(run.trace, t)), previous: () => stop(previousMoment(run.trace, t)),
    nextOfKind: () => jumpTo(nextMoment(run.trace, t, jump), "after"), previousOfKind: () => jumpTo(previousMoment(run.trace, t, jump), "before"),
    on: () => stop(t + Math.round(run.trace.until / 10)), back: () => stop(t - Math.round(run.trace.until / 10)),
    slower: () => setSpeed(-1), faster: () => setSpeed(1),
    nextNode: () => focusNode(1), previousNode: () => focusNode(-1),
    menu: () => openNodeMenu(focused, cluster.nodeElement(focused)),
    mark: () => { toggleMark(focused); },
    partition: () => markedAct("partition"), cut: () => markedAct("cut"), heal: () => run.trace.takesFaults && send({ do: "heal" }),
    undo, copy, help: () => toggleHelp(), causes: () => { if (diagramPart.hidden) toggleDiagram(); diagram.draw(t, limit()); diagram.pastAt(t); },
    diagram: () => toggleDiagram(), whole: () => toggleWhole(), message: () => nextMessageMenu(),
    zoomIn: () => zoomBy(2), zoomOut: () => zoomBy(0.5),
    escape: () => {
      if (closeFilters()) return;
      if (diagram.hasPast()) diagram.clearPast();
      else if (!help.hidden) toggleHelp();
      else setMarked([]);
    },
  };

  function stop(time) {
    pause();
    seek(time);
  }

  function jumpTo(time, side) {
    stop(time);
    if (time === null) notify(`No ${jumpChoice.value} ${side} ${shownTime()}.`);
  }

  function notify(text) {
    notice = text;
    schedule();
  }

  function setSpeed(step) {
    const place = PACES.indexOf(speed) + step;
    if (place < 0 || place >= PACES.length) return;
    speed = PACES[place];
    speedChoice.value = String(speed);
  }

  const paceOf = (text) => (text === BY_EVENTS ? BY_EVENTS : Number(text));

  function toggleWhole() {
    showAll = !showAll;
    wholeButton.setAttribute("aria-pressed", String(showAll));
    schedule();
  }

  function toggleDiagram() {
    diagramPart.hidden = !diagramPart.hidden;
    diagramButton.setAttribute("aria-pressed", String(!diagramPart.hidden));
    diagram.paint();
    schedule();
  }

  function zoomBy(factor) {
    diagram.setZoom(Math.max(1 / 64, Math.min(64, diagram.zoom() * factor)));
    diagram.paint();
    schedule();
  }

  // --- nodes, links, marks
  const names = () => run.trace.parties.filter((party) => !party.client).map((party) => party.id);
  const linkOf = (a, b) => { // null if there is none
    if (!run.trace.linkKeys.some(([x, y]) => (x === a && y === b) || (x === b && y === a))) return null;
    const bands = bandsAt(run.trace, t);
    const talk = (some) => mayTalk(run.trace, some, a, b) && mayTalk(run.trace, some, b, a);
    return { open: talk(bands), parted: !talk(bands.filter((band) => band.kind === "partition")) };
  };
  const linkOfMarked = () => (marked.size === 2 ? linkOf(...marked) : null);

  function focusNode(step) {
    const count = names().length;
    const inside = root.ownerDocument.activeElement?.closest?.(".dp-node");
    focused = inside ? (focused + step + count) % count : focused;
    cluster.nodeElement(focused).focus({ preventScroll: true });
  }

  function openNodeMenu(party, element) {
    pause();
    focused = party;
    const name = run.trace.parties[party].id;
    const slow = bandsAt(run.trace, t).some((band) => band.kind === "slow" && band.nodes.includes(party));
    const acts = run.trace.takesFaults ? nodeActs(name, cluster.stateOf(party), slow, { lies: run.trace.lies, secret: secret() }) : [];
    const [x, y] = cluster.positionOf(party);
    menu.open(`${name} at ${shownTime()}`, [...acts, [marked.has(party) ? "Unmark" : "Mark", { do: "mark", party }]], [x + 24, y + 10], element);
  }

  function openLinkMenu(a, b, [x, y]) {
    pause();
    if (!run.trace.takesFaults) return;
    const [one, other] = [run.trace.nameOf(a), run.trace.nameOf(b)];
    const { open, parted } = linkOf(a, b);
    const bands = bandsAt(run.trace, t);
    const holds = (kind) => bands.some((band) => band.kind === kind && band.link?.includes(a) && band.link.includes(b));
    const now = { lossy: holds("lossy"), slow: holds("slow"), allLossy: bands.some((band) => band.kind === "lossy" && !band.link) };
    const acts = [...linkActs(one, other, open, parted), ...(secret() ? [["Heal this link", { do: "heal", a: one, b: other }]] : []), ...weatherActs(one, other, now)];
    menu.open(`${one} – ${other} at ${shownTime()}`, acts, [x + 8, y + 8], root);
  }

  const secret = () => model.get("hides_faults");
  const shownTime = () => seconds(t, run.trace.places);

  function openMessageMenu(row, [x, y]) {
    pause();
    if (!run.trace.takesFaults) return;
    const [one, other] = [run.trace.nameOf(row.from), run.trace.nameOf(row.to)];
    const by = Number((10 ** Math.ceil(Math.log10((3 * run.messages.typicalDelay) / 1e6))).toPrecision(1));
    menu.open(messageWords(run.trace, row, t), messageActs(one, other, numberOf(run.messages, row), by), [x + 8, y + 8], root);
  }

  let chosenMessage = 0;

  function nextMessageMenu() {
    const under = cluster.underWay();
    if (under.length === 0) {
      notify("No message is under way.");
      return;
    }
    const spot = under[chosenMessage % under.length];
    chosenMessage += 1;
    openMessageMenu(spot.row, [spot.x, spot.y]);
  }

  function toggleMark(party) {
    const next = new Set(marked);
    if (!next.delete(party)) next.add(party);
    setMarked([...next]);
  }

  function markAll(parties) {
    pause();
    setMarked(parties);
    if (parties.length === 0) notify("The line caught no node.");
    else markedButtons.querySelector("button")?.focus({ preventScroll: true });
  }

  function setMarked(parties) {
    marked = new Set(parties);
    cluster.setMarked(marked);
    const list = parties.map((party) => run.trace.parties[party].id);
    markedBar.hidden = parties.length === 0;
    arrangeBar();
    say(markedText, `Marked: ${list.join(", ")}`);
    const acts = run.trace.takesFaults ? markedActs(list, names().length, linkOfMarked()) : [];
    markedButtons.replaceChildren(...acts.map(([label, act]) => button(label, () => send(act))), button("Unmark", () => { setMarked([]); root.focus({ preventScroll: true }); }));
    schedule();
  }

  function markedAct(kind) {
    if (!run.trace.takesFaults) return;
    const list = [...marked].map((party) => run.trace.parties[party].id);
    const acts = markedActs(list, names().length, linkOfMarked()).map(([, act]) => act);
    const act = acts.find((one) => (kind === "cut" ? one.do === "cut" || one.do === "heal" : one.do === kind));
    if (act) send(act);
    else say(line, kind === "cut" ? "Mark two linked nodes first: focus a node and press M." : "Mark some nodes first, but not all: focus a node and press M.");
  }

  // --- commands to Python
  function send(act) {
    if (act.do === "mark") {
      toggleMark(act.party);
      return;
    }
    pause();
    wait();
    tellPython({ type: "act", act, time: t });
    setMarked([]);
    if (!root.ownerDocument.activeElement?.closest?.(".dp-node")) root.focus({ preventScroll: true });
  }

  function undo(index = null) {
    if (model.get("acts").length === 0) {
      notify("There is nothing to undo.");
      return;
    }
    pause();
    wait();
    tellPython({ type: "undo", index });
  }

  /**
   * After a restart of the kernel the page still shows the player, but nobody is at the other end. A model that was
   * saved with the notebook swallows what it is told; its layout knows.
   */
  function tellPython(message) {
    try {
      if (model.get("layout")?.comm_live === false) throw new Error("This was saved with the notebook.");
      model.send(message);
    } catch (error) {
      answered();
      showProblem(model.get("unreachable") ?? "This player belongs to a kernel that is gone. Run this cell again.");
      console.warn("Python can't be reached.", error);
    }
  }

  function wait() {
    set(root, "aria-busy", "true");
    say(line, "Running again …");
    clearTimeout(silence);
    silence = setTimeout(() => showProblem("Python has not answered yet. Is another cell running, or has the kernel stopped?"), PATIENCE);
  }

  function answered() {
    notice = "";
    clearTimeout(silence);
    set(root, "aria-busy", "false");
    showProblem(model.get("problem"));
    schedule();
  }

  async function copy() {
    const text = model.get("code");
    say(code, text);
    code.hidden = false;
    try {
      await navigator.clipboard.writeText(text);
      say(copied, "Copied.");
    } catch {
      getSelection().selectAllChildren(code);
      code.focus({ preventScroll: true });
      say(copied, "Press Ctrl + C to copy what is marked below.");
    }
  }

  function showActs() {
    const acts = model.get("acts");
    actList.replaceChildren(...acts.map((text, index) =>
      make("li", {}, make("code", { text }), button("×", () => undo(index), { label: `take back ${text}`, className: "dp-small" }))));
    arrangeBar();
    code.hidden = true;
    say(copied, "");
  }

  function arrangeBar() {
    actBar.hidden = model.get("acts").length === 0 || !markedBar.hidden;
    hint.hidden = !actBar.hidden || !markedBar.hidden;
  }

  function showTasks() {
    tasks.show(JSON.parse(model.get("tasks")));
  }

  function showSecret() {
    revealButton.hidden = !secret();
    insideButton.hidden = secret();
  }

  function showProblem(text) {
    say(problem, text);
    problem.hidden = text === "";
  }

  // --- two runs, insides, help
  const comparing = () => !earlier.element.hidden;

  function setCompare(on) {
    arrange(on);
    refit();
  }

  function arrange(compare) {
    earlier.element.hidden = !compare || !before;
    root.classList.toggle("dp-comparing", comparing());
    compareButton.setAttribute("aria-pressed", String(comparing()));
    const parting = comparing() ? firstDifference(run.trace, before.trace) : null;
    timeline.setRun(run, parting);
    lanes.setRun(run, comparing() ? before : null);
    diagram.setParting(parting);
    cluster.setTitle(comparing() ? "This run" : "Cluster");
  }

  function toggleInside() {
    const open = inspector.toggle(t);
    insideButton.setAttribute("aria-pressed", String(open));
    root.classList.toggle("dp-inside", open);
    refit();
  }

  function toggleHelp() {
    help.hidden = !help.hidden;
    helpButton.setAttribute("aria-expanded", String(!help.hidden));
  }

  function showFields() {
    const text = model.get("fields");
    if (text && run) inspector.show(JSON.parse(text), names(), [...marked].map((party) => run.trace.parties[party].id));
  }

  // --- filters
  const filters = [nodeFilter, typeFilter];

  /** Close the open lists; true if there was one. The focus goes back to what opened it. */
  function closeFilters(except = null) {
    const open = filters.filter((one) => one.open && one !== except);
    for (const one of open) {
      if (one.contains(root.ownerDocument.activeElement)) one.querySelector("summary").focus({ preventScroll: true });
      one.open = false;
    }
    return open.length > 0;
  }

  for (const one of filters) {
    one.addEventListener("toggle", () => {
      if (one.open) closeFilters(one);
      root.classList.toggle("dp-choosing", filters.some((other) => other.open));
    });
  }
  root.addEventListener("pointerdown", (event) => closeFilters(filters.find((one) => one.contains(event.target))));

  function fillFilters() {
    const boxOf = (text, value, picture = null) => {
      const input = make("input", { type: "checkbox", value, change: () => applyFilters() });
      input.checked = true;
      return make("label", { class: "dp-check" }, input, ...(picture ? [picture] : []), make("span", { text }));
    };
    nodeFilter.replaceChildren(make("summary", { text: "Nodes" }), make("div", { class: "dp-choices" },
      ...run.trace.parties.map((party, index) => boxOf(party.id, index))));
    typeFilter.replaceChildren(make("summary", { text: "Messages" }), make("div", { class: "dp-choices" },
      ...run.types.map((type) => {
        const look = run.messageLook(type, readColours(root).dark);
        const picture = makeSvg("svg", { width: 14, height: 14, viewBox: "-7 -7 14 14", "aria-hidden": "true" },
          makeSvg("path", { d: shapePath(MESSAGE_SHAPES[look.shape], 5), style: `fill:${look.colour}` }));
        return boxOf(run.trace.types[type], type, picture);
      })));
    foldBox.checked = foldsAtFirst(run.types, run.periodic, run.trace.parties.length);
    foldLabel.hidden = run.periodic.size === 0;
  }

  function applyFilters() {
    filter();
    diagram.paint();
    schedule();
  }

  function filter() {
    const off = (filter) => [...filter.querySelectorAll("input")].filter((input) => !input.checked).map((input) => Number(input.value));
    const hiddenNodes = new Set(off(nodeFilter));
    run.hiddenTypes.clear();
    for (const type of off(typeFilter)) run.hiddenTypes.add(type);
    if (before) {
      before.hiddenTypes.clear();
      const hidden = off(typeFilter).map((type) => run.trace.types[type]);
      for (const type of before.types) if (hidden.includes(before.trace.types[type])) before.hiddenTypes.add(type);
    }
    diagram.setNodes(run.trace.parties.map((_, party) => party).filter((party) => !hiddenNodes.has(party)));
    diagram.setFolded(foldBox.checked ? run.periodic : new Set());
  }

  // --- sizes, themes
  function refit() {
    cluster.resize();
    earlier.resize();
    timeline.paint();
    lanes.paint();
    diagram.paint();
    schedule();
  }

  function recolour() {
    const colours = readColours(root);
    for (const view of [cluster, earlier, timeline, lanes, diagram]) view.setColours(colours);
    timeline.paint();
    lanes.paint();
    diagram.paint();
    schedule();
  }

  // --- what Python sends
  const bytesOf = (name) => {
    const view = model.get(name);
    return view && view.byteLength > 0 ? new Uint8Array(view.buffer, view.byteOffset, view.byteLength) : null;
  };
  let turn = 0;
  let known = []; // what has been unpacked lately: the run before a fault was on the screen a moment ago

  async function prepared(bytes) {
    const found = known.find((one) => sameBytes(one.bytes, bytes));
    const next = found ? found.run : prepareRun(await inflate(bytes));
    known = [{ bytes, run: next }, ...known.filter((one) => one !== found)].slice(0, 4);
    return next;
  }

  async function load() {
    const mine = ++turn;
    try {
      const [now, then] = await Promise.all([bytesOf("payload"), bytesOf("before")].map((bytes) => (bytes ? prepared(bytes) : null)));
      if (mine !== turn || gone) return;
      accept(now, then);
    } catch (error) {
      showProblem(`The run can't be shown: ${error.message}`);
      throw error;
    }
  }

  function accept(next, then) {
    const first = run === null;
    const unchecked = (filter) => [...filter.querySelectorAll("input")].filter((box) => !box.checked).map((box) => Number(box.value));
    const kept = first ? null : {
      fold: foldBox.checked, types: unchecked(typeFilter).map((type) => run.trace.types[type]), nodes: unchecked(nodeFilter).map((party) => run.trace.parties[party].id),
    };
    run = next;
    before = then;
    const onNode = root.ownerDocument.activeElement?.closest?.(".dp-node") && root.contains(root.ownerDocument.activeElement);
    cluster.setRun(run);
    if (onNode) cluster.nodeElement(focused)?.focus({ preventScroll: true }); // its elements are new ones
    if (before) earlier.setRun(before);
    diagram.setRun(run);
    fillFilters();
    if (kept) {
      foldBox.checked = kept.fold && run.periodic.size > 0;
      for (const box of typeFilter.querySelectorAll("input")) box.checked = !kept.types.includes(run.trace.types[Number(box.value)]);
      for (const box of nodeFilter.querySelectorAll("input")) box.checked = !kept.nodes.includes(run.trace.parties[Number(box.value)].id);
    }
    const chosen = jumpChoice.value;
    const jumps = jumpsOf(run.trace);
    jumpChoice.replaceChildren(...jumps.map((name) => make("option", { value: name, text: name })));
    jumpChoice.value = jumps.includes(chosen) ? chosen : jumps.find((name) => name === "change of state" || name === "fault") ?? jumps[0] ?? "";
    compareButton.hidden = before === null;
    if (!run.trace.takesFaults) say(hint, "This run was made of exact steps, so nothing can be done to it here.");
    else if (model.get("unreachable")) say(hint, model.get("unreachable"));
    fitted = root.clientWidth;
    if (first) {
      speed = fittingPace(run.trace, run.messages);
      speedChoice.value = String(speed);
    }
    if (first) t = model.get("begin_at") ?? 0; // a page without a kernel may begin at the deciding moment
    t = Math.min(t, run.trace.until);
    reach = t; // another future: what comes has not been seen
    wholeButton.setAttribute("aria-pressed", String(showAll));
    arrange(first ? before !== null : comparing());
    filter();
    cluster.resize();
    earlier.resize();
    recolour(); // paints everything, once
    inspector.request(t, true);
    if (first) requestAnimationFrame(() => setTimeout(() => {
      performance.measure("dscourse-player-first-picture", { start: started, end: performance.now() });
      root.dataset.ready = "yes";
      if (justRun()) root.scrollIntoView({ block: "nearest" });
    }));
  }

  /** Has the cell of this player been run by itself, so that it or the next one is the active cell of the notebook? */
  function justRun() {
    const cell = root.closest(".jp-Cell");
    const active = cell?.parentElement?.querySelector(":scope > .jp-Cell.jp-mod-active");
    return Boolean(active) && (active === cell || cell.nextElementSibling === active);
  }

  // --- keys
  // JupyterLab looks for this mark before the key reaches the player: it is taken away for what runs a cell.
  const letThrough = (event) => {
    if (!root.contains(event.target) || !belongsToNotebook(event)) return;
    root.removeAttribute("data-lm-suppress-shortcuts");
    setTimeout(() => root.setAttribute("data-lm-suppress-shortcuts", "true"));
  };
  window.addEventListener("keydown", letThrough, true);
  root.addEventListener("keydown", (event) => {
    if (belongsToNotebook(event)) return;
    const command = commandFor(event, placeOfFocus(event.target));
    event.stopPropagation();
    if (!command || !run) return;
    event.preventDefault();
    does[command]();
  });
  for (const kind of ["keyup", "keypress"]) root.addEventListener(kind, (event) => event.stopPropagation());

  const listeners = { "change:payload": load, "change:before": () => {}, "change:acts": showActs, "change:fields": showFields,
    "change:problem": () => showProblem(model.get("problem")), "change:answered": answered, "change:tasks": showTasks, "change:hides_faults": showSecret };
  for (const [name, listener] of Object.entries(listeners)) model.on(name, listener);
  let fitted = 0;
  const sizes = new ResizeObserver(() => { // the height follows from the width
    if (!run || root.clientWidth === fitted) return;
    fitted = root.clientWidth;
    refit();
  });
  sizes.observe(root);
  const themes = new MutationObserver(() => { recolour(); setTimeout(recolour, 400); });
  themes.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "class"] });
  const themeQuery = window.matchMedia("(prefers-color-scheme: dark)");
  themeQuery.addEventListener("change", recolour);
  showActs();
  showTasks();
  showSecret();
  showProblem(model.get("problem"));
  load();

  return () => {
    gone = true;
    if (frame !== null) cancelAnimationFrame(frame);
    clearTimeout(silence);
    inspector.stop();
    sizes.disconnect();
    themes.disconnect();
    window.removeEventListener("keydown", letThrough, true);
    themeQuery.removeEventListener("change", recolour);
    for (const [name, listener] of Object.entries(listeners)) model.off(name, listener);
  };
}

export default { render };
