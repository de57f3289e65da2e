// The space-time diagram: a row per node, time from left to right, a slanted line per message.

import { countBefore, countUpTo } from "./search.mjs";
import { messagesBetween } from "./messages.mjs";

/** Message types that are sent like clockwork: at least three gaps between a node's sendings, hardly differing. */
export function periodicTypes(trace) {
  const send = trace.kinds.indexOf("send");
  const last = new Map();
  const gaps = new Map();
  for (let index = 0; index < trace.size; index += 1) {
    if (trace.kind[index] !== send) continue;
    const type = trace.type[index];
    const key = type * 65536 + trace.node[index];
    const before = last.get(key);
    const time = trace.time[index];
    if (before === time) continue;
    if (before !== undefined) {
      if (!gaps.has(key)) gaps.set(key, []);
      gaps.get(key).push(time - before);
    }
    last.set(key, time);
  }
  const votes = new Map();
  for (const [key, list] of gaps) {
    if (list.length < 3) continue;
    const sorted = list.slice().sort((one, other) => one - other);
    const median = sorted[sorted.length >> 1];
    const regular = list.filter((gap) => Math.abs(gap - median) <= 0.1 * median).length >= 0.8 * list.length;
    const type = Math.floor(key / 65536);
    const [yes, all] = votes.get(type) ?? [0, 0];
    votes.set(type, [yes + (regular ? 1 : 0), all + 1]);
  }
  return new Set([...votes].filter(([, [yes, all]]) => yes >= 0.6 * all).map(([type]) => type));
}

/** A window that shows about `wanted` messages, no wider than the run. */
export function windowWidth(trace, messages, wanted = 160) {
  const density = messages.rows.length / Math.max(1, trace.until);
  const width = density > 0 ? wanted / density : trace.until;
  return Math.min(trace.until, Math.max(width, 2 * messages.typicalDelay));
}

/** The window to show for a cursor: it stays where it is while the cursor is well inside, and turns a page when it is not. */
export function turnPage(shown, width, t, until) {
  const fits = shown && Math.abs(shown.to - shown.from - width) < 1 && t >= shown.from && t <= shown.to;
  const atEnd = shown && shown.to >= until - 1;
  const atStart = shown && shown.from <= 0;
  if (fits) {
    const part = (t - shown.from) / width;
    if ((part >= 0.1 || atStart) && (part <= 0.9 || atEnd)) return shown;
  }
  const from = Math.max(0, Math.min(t - 0.3 * width, until - width));
  return { from, to: from + width };
}

/**
 * What stands in the diagram in a window: `rows` (party → y, -1 if hidden), `lines` of messages ({ row, x1, y1, x2, y2, reason,
 * folded }) and `dots` of other events ({ index, x, y }). `hiddenTypes` and `foldedTypes` are sets; a folded message leaves only a
 * short stroke at its sender, unless it was dropped.
 */
export function layoutDiagram(trace, messages, view) {
  const { from, to, width, rowHeight, left, top, nodes, hiddenTypes, foldedTypes } = view;
  const place = new Int32Array(trace.parties.length).fill(-1);
  nodes.forEach((party, row) => { place[party] = top + row * rowHeight; });
  const x = (t) => left + ((t - from) / (to - from)) * (width - left);
  const lines = [];
  for (const row of messagesBetween(messages, from, to)) {
    const message = messages.rows[row];
    const y1 = place[message.from];
    const y2 = place[message.to];
    if (y1 < 0 || y2 < 0 || hiddenTypes.has(message.type)) continue;
    const folded = foldedTypes.has(message.type) && message.reason === null;
    let end = message.end === Infinity ? Math.max(to, trace.until) : message.end;
    let goal = y2;
    if (message.reason !== null && end === message.sent) { // dropped as it was sent: a stub in the direction it would have taken
      end = message.sent + messages.typicalDelay / 3;
      goal = y1 + (y2 - y1) / 3;
    }
    lines.push({ row, x1: x(message.sent), y1, x2: x(end), y2: goal, reason: message.reason, folded });
  }
  const dots = [];
  const first = countBefore(trace.time, from);
  const beyond = countUpTo(trace.time, to);
  for (let index = first; index < beyond; index += 1) {
    const kind = trace.kindOf(index);
    if (kind === "send" || kind === "deliver" || kind === "drop" || kind === "timer") continue;
    const party = trace.node[index];
    if (party >= place.length || place[party] < 0) continue;
    dots.push({ index, x: x(trace.time[index]), y: place[party] });
  }
  return { place, lines, dots, x };
}

/**
 * The events that can have influenced event `index` by messages (itself included): 1 in a column of flags. The loss of a message happens on
 * the way, not at a node: it has the sending as its cause, and is no cause of anything.
 */
export function causalPast(trace, messages, index) {
  const flags = new Uint8Array(trace.size);
  const frontier = new Int32Array(trace.parties.length).fill(-1); // party → its last event that is known to belong here
  const drop = trace.kinds.indexOf("drop");
  const sending = sendingOf(messages);
  const reach = (event) => {
    const party = trace.node[event];
    if (party < frontier.length) frontier[party] = Math.max(frontier[party], event);
  };
  flags[index] = 1;
  if (trace.kind[index] !== drop) reach(index);
  else reach(sending.get(index));
  for (let event = index; event >= 0; event -= 1) {
    const party = trace.node[event];
    if (trace.kind[event] === drop || party >= frontier.length || event > frontier[party]) continue;
    flags[event] = 1;
    const source = sending.get(event);
    if (source !== undefined) reach(source);
  }
  return flags;
}

/** Event of arrival or loss → event of sending. */
function sendingOf(messages) {
  if (!messages.sending) {
    messages.sending = new Map(messages.rows.filter((row) => row.endEvent >= 0).map((row) => [row.endEvent, row.sendEvent]));
  }
  return messages.sending;
}
