// The space-time diagram on a canvas: painted once a page; the cursor is an element above it, so that it can move freely.

import { fitCanvas, make, set, traceShape } from "./dom.mjs";
import { axisTicks, corners, nearest } from "./geometry.mjs";
import { causalPast, layoutDiagram, turnPage, windowWidth } from "./lamport.mjs";
import { countBefore, countUpTo } from "./search.mjs";
import { eventWords, messageWords, seconds } from "./words.mjs";

const LEFT = 64;
const TOP = 14;
const DIAGRAM_AXIS = 20;
const REACH = 8;

/** `does`: { seek(t), tell(text) }. */
export function diagramView(does) {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const cursor = make("div", { class: "dp-cursor", "aria-hidden": "true" });
  const tip = make("div", { class: "dp-tip", hidden: true });
  const sheet = make("div", { class: "dp-sheet" }, canvas, cursor);
  const scroller = make("div", { class: "dp-scroller", tabindex: "-1", role: "img" }, sheet);
  const element = make("div", { class: "dp-diagram" }, scroller, tip);

  let run = null;
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
    drawn = layoutDiagram(trace, messages, {
      ...page, width: width - 8, rowHeight: rowHeight(), left: LEFT, top: TOP + rowHeight() / 2, nodes,
      hiddenTypes: run.hiddenTypes, foldedTypes: folded,
    });
    paintRows(context);
    paintAxis(context);
    context.save();
    context.beginPath();
    context.rect(LEFT - 8, 0, width, height - DIAGRAM_AXIS);
    context.clip();
    paintLines(context);
    paintDots(context);
    context.restore();
    set(scroller, "aria-label", `Space-time diagram, ${seconds(Math.round(page.from))} to ${seconds(Math.round(page.to))}: `
      + `${drawn.lines.length} messages between ${nodes.length} nodes`);
  }

  function paintRows(context) {
    context.font = "12px sans-serif";
    for (const party of nodes) {
      const y = drawn.place[party];
      context.fillStyle = colours.ink;
      context.fillText(run.trace.parties[party].id, 4, y + 4, LEFT - 8);
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
  }

  function paintLines(context) {
    const faint = Math.max(0.2, Math.min(0.85, 20 / Math.sqrt(drawn.lines.length + 1))); // the more lines, the lighter each
    const strong = (line) => past && past[run.messages.rows[line.row].sendEvent]
      && run.messages.rows[line.row].endEvent >= 0 && past[run.messages.rows[line.row].endEvent];
    drawn.lines.forEach((line, index) => {
      const message = run.messages.rows[line.row];
      const look = run.messageLook(message.type, colours.dark);
      const lit = strong(line);
      context.globalAlpha = past && !lit ? Math.min(0.13, faint) : index === hovered || lit ? 1 : line.folded ? 0.5 : faint;
      context.strokeStyle = line.reason === null ? look.colour : colours.alarm;
      context.lineWidth = index === hovered || lit ? 2.5 : 1.2;
      context.setLineDash(line.reason === null ? [] : [4, 3]);
      context.beginPath();
      if (line.folded && !lit && index !== hovered) { // collapsed: a short stroke at the sender says that it was sent
        context.moveTo(line.x1, line.y1 - 3);
        context.lineTo(line.x1, line.y1 + 3);
        context.stroke();
        return;
      }
      context.moveTo(line.x1, line.y1);
      context.lineTo(line.x2, line.y2);
      context.stroke();
      context.setLineDash([]);
      if (line.reason === null) arrowHead(context, line);
      else crossAt(context, line.x2, line.y2);
    });
    context.globalAlpha = 1;
    context.setLineDash([]);
  }

  function arrowHead(context, { x1, y1, x2, y2 }) {
    const angle = Math.atan2(y2 - y1, x2 - x1);
    context.beginPath();
    context.moveTo(x2, y2);
    context.lineTo(x2 - 6 * Math.cos(angle - 0.4), y2 - 6 * Math.sin(angle - 0.4));
    context.moveTo(x2, y2);
    context.lineTo(x2 - 6 * Math.cos(angle + 0.4), y2 - 6 * Math.sin(angle + 0.4));
    context.stroke();
  }

  function crossAt(context, x, y) {
    context.beginPath();
    context.moveTo(x - 3.5, y - 3.5);
    context.lineTo(x + 3.5, y + 3.5);
    context.moveTo(x + 3.5, y - 3.5);
    context.lineTo(x - 3.5, y + 3.5);
    context.stroke();
  }

  function paintDots(context) {
    for (const { index, x, y } of drawn.dots) {
      const kind = run.trace.kindOf(index);
      const status = kind === "record" && run.trace.typeOf(index) === "status" ? run.trace.detailOf(index)?.status : null;
      const look = run.trace.looks[status];
      context.globalAlpha = past && !past[index] ? 0.2 : 1;
      context.beginPath();
      traceShape(context, corners(look ? look.shape : kind === "fault" ? "X" : "s", look ? 6 : 5), x, y, look ? 6 : 5);
      context.fillStyle = look ? look.colour : kind === "fault" ? colours.alarm : colours.paper;
      context.strokeStyle = colours.ink;
      context.lineWidth = 1;
      context.fill();
      context.stroke();
    }
    context.globalAlpha = 1;
  }

  function draw(t) {
    now = t;
    if (!run || width === 0) return;
    const turned = turnPage(page, pageWidth(), t, run.trace.until);
    if (page === null || turned.from !== page.from || turned.to !== page.to) paint();
    cursor.style.transform = `translateX(${drawn.x(t).toFixed(1)}px)`;
  }

  // --- what the pointer is on
  function pointed(event) {
    const frame = canvas.getBoundingClientRect();
    const scale = width / frame.width;
    const point = [(event.clientX - frame.left) * scale, (event.clientY - frame.top) * scale];
    const dot = drawn.dots.find(({ x, y }) => Math.hypot(point[0] - x, point[1] - y) <= 9);
    if (dot) return { point, event: dot.index, line: -1, text: `${seconds(run.trace.time[dot.index])}: ${eventWords(run.trace, dot.index)}` };
    const line = nearest(point, drawn.lines.map(({ x1, y1, x2, y2, folded: short }) => (short ? [[x1, y1 - 3], [x1, y1 + 3]] : [[x1, y1], [x2, y2]])), REACH);
    if (line < 0) return { point, event: -1, line: -1, text: "" };
    const row = run.messages.rows[drawn.lines[line].row];
    return { point, event: row.endEvent >= 0 ? row.endEvent : row.sendEvent, line, text: messageWords(run.trace, row) };
  }

  sheet.addEventListener("pointermove", (event) => {
    if (!drawn) return;
    const { point, line, text } = pointed(event);
    tip.hidden = text === "";
    tip.textContent = text;
    const left = Math.min(point[0] + 12, width - 260);
    tip.style.transform = `translate(${Math.max(0, left)}px, ${Math.min(point[1] - scroller.scrollTop + 14, scroller.clientHeight)}px)`;
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
    else if (found.point[0] >= LEFT) {
      does.seek(Math.round(page.from + ((found.point[0] - LEFT) / (width - 8 - LEFT)) * (page.to - page.from)));
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
      if (run.trace.node[event] < run.trace.parties.length) parties.add(run.trace.nameOf(run.trace.node[event]));
    });
    does.tell(`Causal past of “${eventWords(run.trace, index)}” at ${seconds(run.trace.time[index])}: ${count} events on ${parties.size} nodes`
      + ` (${[...parties].sort().join(", ") || "none"}). Nothing else can have influenced it.`);
    paint();
  }

  /** The causal past of the last event at or before the cursor that the diagram shows. */
  function pastAtCursor() {
    const beyond = countUpTo(run.trace.time, now);
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
    element, setRun, paint, draw, pastAtCursor,
    clearPast: () => { if (past) clearPast(); },
    hasPast: () => past !== null,
    setNodes: (next) => { nodes = next; },
    setFolded: (next) => { folded = next; },
    setZoom: (next) => { zoom = next; page = null; },
    zoom: () => zoom,
    setColours: (next) => { colours = next; },
  };
}
