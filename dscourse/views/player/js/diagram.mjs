// The space-time diagram on a canvas: painted once a page; the cursor is an element above it, so that it can move freely.

import { fitCanvas, make, set, traceShape } from "./dom.mjs";
import { axisTicks, corners, nearest } from "./geometry.mjs";
import { causalPast, layoutDiagram, turnPage, windowWidth } from "./lamport.mjs";
import { countBefore, countUpTo } from "./search.mjs";
import { eventWords, messageWords, seconds } from "./words.mjs";

const LEFT = 64; // room for names; longer ones get more, up to
const MOST_LEFT = 150;
const TOP = 14;
const DIAGRAM_AXIS = 20;
const REACH = 12;
const MOST_DASHED = 60; // lines; dashes take long to draw

/** `does`: { seek(t), tell(text) }. */
export function diagramView(does) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const cursor = make("div", { class: "dp-cursor", "aria-hidden": "true" });
  const tip = make("div", { class: "dp-tip", hidden: true });
  const sheet = make("div", { class: "dp-sheet" }, canvas, cursor);
  const scroller = make("div", { class: "dp-scroller", tabindex: "-1", role: "img" }, sheet);
  const element = make("div", { class: "dp-diagram" }, scroller, tip);

  let run = null;
  let left = LEFT;
  let colours = {};
  let page = null;
  let zoom = 1;
  let nodes = [];
  let folded = new Set();
  let width = 0;
  let height = 0;
  let drawn = null;
  let past = null;
  let pastOf = -1;
  let hovered = -1;
  let now = 0;
  let limit = Infinity; // µs: what comes later isn't drawn
  let parting = null;

  function setRun(next) {
    run = next;
    page = null;
    past = null;
    pastOf = -1;
    hovered = -1;
    tip.hidden = true;
    nodes = nodes.filter((party) => party < run.trace.parties.length);
    if (nodes.length === 0) nodes = run.trace.parties.map((_, party) => party);
  }

  const rowHeight = () => (nodes.length <= 8 ? 27 : nodes.length <= 16 ? 22 : 16);
  const pageWidth = () => Math.min(run.trace.until, windowWidth(run.trace, run.messages) / zoom);

  function paint() {
    width = scroller.clientWidth;
    if (!run || width === 0) return;
    const { trace, messages } = run;
    page = turnPage(page, pageWidth(), now, trace.until);
    height = TOP + nodes.length * rowHeight() + DIAGRAM_AXIS;
    sheet.style.height = `${height}px`;
    const context = fitCanvas(canvas, width, height);
    context.font = "12px sans-serif";
    const names = nodes.map((party) => context.measureText(run.trace.parties[party].id).width);
    left = Math.min(MOST_LEFT, Math.max(LEFT, 18 + Math.max(0, ...names)));
    drawn = layoutDiagram(trace, messages, {
      ...page, width: width - 8, rowHeight: rowHeight(), left, top: TOP + rowHeight() / 2, nodes,
      hiddenTypes: run.hiddenTypes, foldedTypes: folded,
    });
    paintRows(context);
    paintAxis(context);
    context.save();
    context.beginPath();
    context.rect(left - 8, 0, width, height - DIAGRAM_AXIS);
    context.clip();
    paintLines(context);
    paintDots(context);
    context.restore();
    set(scroller, "aria-label", `Space-time diagram, ${seconds(Math.round(page.from), 3)} to ${seconds(Math.round(page.to), 3)}: `
      + `${drawn.lines.length} messages between ${nodes.length} nodes`);
  }

  function paintRows(context) {
    context.font = "12px sans-serif";
    for (const party of nodes) {
      const y = drawn.place[party];
      context.fillStyle = colours.ink;
      context.fillText(run.trace.parties[party].id, 4, y + 4, left - 8);
      const list = run.history.nodes[party];
      let index = Math.max(0, countUpTo(list.at, page.from) - 1);
      for (; index < list.at.length && list.at[index] <= page.to; index += 1) {
        const from = Math.max(page.from, list.at[index]);
        const to = Math.min(page.to, list.at[index + 1] ?? run.trace.until);
        const shown = list.shown[index];
        context.beginPath();
        context.strokeStyle = shown.down ? colours.alarm : colours.quiet;
        context.lineWidth = shown.paused ? 5 : 1;
        context.globalAlpha = shown.paused ? 0.35 : 1;
        context.setLineDash(shown.down ? [2, 5] : []);
        context.moveTo(drawn.x(from), y);
        context.lineTo(drawn.x(to), y);
        context.stroke();
      }
      context.globalAlpha = 1;
      context.setLineDash([]);
    }
  }

  function paintAxis(context) {
    context.fillStyle = colours.ink;
    context.font = "11px sans-serif";
    for (const tick of axisTicks(page.from, page.to, width / 110)) {
      const text = `${tick / 1e6} s`;
      const wide = context.measureText(text).width;
      context.fillRect(drawn.x(tick), height - DIAGRAM_AXIS, 1, 5);
      context.fillText(text, Math.min(width - wide, drawn.x(tick) - wide / 2), height - 4);
    }
    if (!parting || parting.time < page.from || parting.time > page.to) return;
    context.strokeStyle = colours.ink;
    context.lineWidth = 1;
    context.setLineDash([3, 3]);
    context.strokeRect(drawn.x(parting.time), 0, 0, height - DIAGRAM_AXIS);
    context.setLineDash([]);
    context.fillText("here the runs part", drawn.x(parting.time) + 4, 10);
  }

  /** Most lines look alike and are drawn style by style; the few that stand out come last, on top. */
  function paintLines(context) {
    const { rows } = run.messages;
    const faint = Math.max(0.2, Math.min(0.85, 20 / Math.sqrt(drawn.lines.length + 1))); // the more lines, the lighter each
    const standOut = [];
    const styles = new Map();
    drawn.lines.forEach((line, index) => {
      const message = rows[line.row];
      const lit = past !== null && past[message.sendEvent] && message.endEvent >= 0 && past[message.endEvent];
      if (lit || index === hovered) {
        standOut.push(line);
        return;
      }
      const key = `${line.reason === null ? message.type : "drop"} ${line.folded}`;
      if (!styles.has(key)) styles.set(key, []);
      styles.get(key).push(line);
    });
    for (const lines of styles.values()) {
      context.globalAlpha = past ? Math.min(0.13, faint) : lines[0].folded ? 0.5 : faint;
      if (lines[0].folded) drawStrokes(context, lines);
      else strokeAll(context, lines, 1.2);
    }
    context.globalAlpha = 1;
    for (const line of standOut) strokeAll(context, [line], 2.5);
  }

  const colourOf = (line) => run.messageLook(run.messages.rows[line.row].type, colours.dark).colour;

  /** Collapsed messages: a short stroke at the sender says that one was sent. */
  function drawStrokes(context, lines) {
    context.fillStyle = colourOf(lines[0]);
    let last = -1;
    for (const { x1, y1 } of lines) {
      const place = Math.round(x1) * 4096 + y1;
      if (place !== last) context.fillRect(x1 - 0.6, y1 - 3, 1.2, 6); // a broadcast leaves one stroke
      last = place;
    }
  }

  /** Messages as arrows, dropped ones as lines that end in a cross. Each is a path of its own: one path of thousands is slow. */
  function strokeAll(context, lines, width) {
    const dropped = lines[0].reason !== null;
    context.strokeStyle = dropped ? colours.alarm : colourOf(lines[0]);
    context.lineWidth = width;
    for (const { x1, y1, x2, y2 } of lines) {
      if (dropped && lines.length <= MOST_DASHED) context.setLineDash([4, 3]);
      stroke(context, x1, y1, x2, y2);
      context.setLineDash([]);
      if (dropped) {
        stroke(context, x2 - 3.5, y2 - 3.5, x2 + 3.5, y2 + 3.5);
        stroke(context, x2 + 3.5, y2 - 3.5, x2 - 3.5, y2 + 3.5);
        continue;
      }
      const angle = Math.atan2(y2 - y1, x2 - x1);
      for (const side of [-0.4, 0.4]) stroke(context, x2, y2, x2 - 6 * Math.cos(angle + side), y2 - 6 * Math.sin(angle + side));
    }
  }

  function stroke(context, x1, y1, x2, y2) {
    context.beginPath();
    context.moveTo(x1, y1);
    context.lineTo(x2, y2);
    context.stroke();
  }

  /** Changes of state by their shape, faults as crosses, suspicions as question marks, other records as small squares. */
  function paintDots(context) {
    const rank = (dot) => ["other", "doubt", "fault", "state"].indexOf(sortOf(dot.index));
    const ordered = drawn.dots.slice().sort((one, other) => rank(one) - rank(other)); // the most telling on top
    context.lineWidth = 1;
    context.strokeStyle = colours.ink;
    for (const { index, x, y } of ordered) {
      const sort = sortOf(index);
      context.globalAlpha = past && !past[index] ? 0.2 : 1;
      if (sort === "doubt") {
        paintDoubt(context, run.trace.typeOf(index) === "suspect" ? "?" : "✓", x, y);
        continue;
      }
      const look = sort === "state" ? run.trace.looks[run.trace.detailOf(index)?.status] : null;
      const r = look ? 6 : sort === "fault" ? 5 : 3;
      context.beginPath();
      traceShape(context, corners(look ? look.shape : sort === "fault" ? "X" : "s", r), x, y, r);
      context.fillStyle = look ? look.colour : sort === "fault" ? colours.alarm : colours.paper;
      context.fill();
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function sortOf(index) {
    const kind = run.trace.kindOf(index);
    if (kind !== "record") return kind === "fault" ? "fault" : "other";
    const type = run.trace.typeOf(index);
    return type === "status" ? "state" : type === "suspect" || type === "trust" ? "doubt" : "other";
  }

  function paintDoubt(context, sign, x, y) {
    context.font = "bold 13px sans-serif";
    context.textAlign = "center";
    context.lineWidth = 3;
    context.strokeStyle = colours.paper;
    context.strokeText(sign, x, y - 5);
    context.fillStyle = sign === "?" ? colours.alarm : colours.ink;
    context.fillText(sign, x, y - 5);
    context.textAlign = "left";
    context.lineWidth = 1;
    context.strokeStyle = colours.ink;
  }

  function draw(t, shownTo = Infinity) {
    now = t;
    limit = shownTo;
    if (!run || width === 0) return;
    const turned = turnPage(page, pageWidth(), t, run.trace.until);
    if (page === null || turned.from !== page.from || turned.to !== page.to) paint();
    cursor.style.transform = `translateX(${drawn.x(t).toFixed(1)}px)`;
    canvas.style.clipPath = `inset(0 ${Math.max(0, limit >= page.to ? 0 : width - Math.max(left, drawn.x(limit) + 1)).toFixed(1)}px 0 0)`;
  }

  // --- what the pointer is on
  function pointed(event) {
    const frame = canvas.getBoundingClientRect();
    const scale = width / frame.width;
    const point = [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
    if (point[0] > drawn.x(limit) + 2) return { point, event: -1, line: -1, text: "" };
    const dot = drawn.dots.find(({ index, x, y }) => run.trace.time[index] <= limit && Math.hypot(point[0] - x, point[1] - y) <= REACH);
    if (dot) return { point, event: dot.index, line: -1, text: `${seconds(run.trace.time[dot.index], run.trace.places)}: ${eventWords(run.trace, dot.index)}` };
    const line = nearest(point, drawn.lines.map(({ x1, y1, x2, y2, folded: short }) => (short ? [[x1, y1 - 3], [x1, y1 + 3]] : [[x1, y1], [x2, y2]])), REACH);
    if (line < 0) return { point, event: -1, line: -1, text: "" };
    const row = run.messages.rows[drawn.lines[line].row];
    return { point, event: row.endEvent >= 0 && row.end <= limit ? row.endEvent : row.sendEvent, line, text: messageWords(run.trace, row, limit) };
  }

  sheet.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const { point, line, text } = pointed(event);
    tip.hidden = text === "";
    tip.textContent = text;
    const place = Math.min(point[0] + 12, width - 260);
    tip.style.transform = `translate(${Math.max(0, place)}px, ${Math.min(point[1] - scroller.scrollTop + 14, scroller.clientHeight)}px)`;
    if (line !== hovered) {
      hovered = line;
      paint();
    }
  });
  sheet.addEventListener("pointerleave", () => {
    tip.hidden = true;
    if (hovered >= 0) {
      hovered = -1;
      paint();
    }
  });
  sheet.addEventListener("click", (event) => {
    if (!drawn) return;
    const found = pointed(event);
    if (found.event >= 0) showPast(found.event);
    else if (past) clearPast();
    else if (found.point[0] >= left) {
      does.seek(Math.round(page.from + ((found.point[0] - left) / (width - 8 - left)) * (page.to - page.from)));
    }
  });

  function showPast(index) {
    if (index === pastOf) {
      clearPast();
      return;
    }
    past = causalPast(run.trace, run.messages, index);
    pastOf = index;
    const parties = new Set();
    let count = 0;
    past.forEach((flag, event) => {
      if (!flag || event === index) return;
      count += 1;
      if (run.trace.node[event] < run.trace.parties.length) parties.add(run.trace.node[event]);
    });
    does.tell(`Causal past of “${eventWords(run.trace, index)}” at ${seconds(run.trace.time[index], run.trace.places)}: ${count} events on ${parties.size} nodes`
      + ` (${[...parties].sort((one, other) => one - other).map(run.trace.nameOf).join(", ") || "none"}). No message can have told it of anything else.`);
    paint();
  }

  /** The causal past of the last event at or before `t` that the diagram shows. */
  function pastAt(t) {
    const beyond = countUpTo(run.trace.time, t);
    const first = countBefore(run.trace.time, run.trace.time[Math.max(0, beyond - 1)]);
    for (let index = beyond - 1; index >= first; index -= 1) {
      const kind = run.trace.kindOf(index);
      if (kind === "deliver" || kind === "record" || index === first) {
        showPast(index);
        return;
      }
    }
  }

  function clearPast() {
    past = null;
    pastOf = -1;
    does.tell("");
    paint();
  }

  return {
    element, setRun, paint, draw, pastAt,
    clearPast: () => { if (past) clearPast(); },
    hasPast: () => past !== null,
    setNodes: (next) => { nodes = next; },
    setParting: (next) => { parting = next; },
    setFolded: (next) => { folded = next; },
    setZoom: (next) => { zoom = next; page = null; },
    zoom: () => zoom,
    setColours: (next) => { colours = next; },
  };
}
