// What happens, in words. Everything here is put into the page as text.

import { countBefore, countUpTo } from "./search.mjs";

/** A moment as seconds, with as many places as it needs, at least two and at most `places`. */
export function seconds(t, places = 6) {
  return `${(t / 1e6).toFixed(places).replace(/(\.\d\d\d*?)0+$/, "$1")} s`;
}

/** How many places of a second matter where a message takes so long (µs). */
export function placesFor(delay) {
  return Math.max(3, Math.min(6, Math.ceil(1.2 - Math.log10(Math.max(1, delay) / 1e6))));
}

const list = (names) => (names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`);

/** One event in words, without its time. */
export function eventWords(trace, index) {
  const node = trace.nameOf(trace.node[index]);
  const peer = trace.nameOf(trace.peer[index]);
  const type = trace.typeOf(index);
  switch (trace.kindOf(index)) {
    case "send": return `${node} sends ${type} to ${peer}`;
    case "deliver": return `${node} receives ${type} from ${peer}`;
    case "drop": return `${type} ${peer} → ${node} is dropped (${trace.detailOf(index)})`;
    case "timer": return `timer “${type}” of ${node} runs out`;
    case "fault": return faultWords(trace, index);
    case "record": return recordWords(trace, index, node, type);
    case "invoke": return `${node} asks ${peer || "the cluster"} for ${type}`;
    case "ok": return `${node}: ${type} is done`;
    case "fail": return `${node}: ${type} fails`;
    case "unknown": return `${node} gives up on ${type}: outcome unknown`;
    default: return `${node} ${type}`;
  }
}

function faultWords(trace, index) {
  const detail = trace.detailOf(index);
  return typeof detail === "string" ? detail : trace.typeOf(index);
}

function recordWords(trace, index, node, type) {
  const detail = trace.detailOf(index) ?? {};
  if (type === "status") return `${node} is now ${detail.status}${detail.label ? ` (${detail.label})` : ""}`;
  const peer = trace.nameOf(trace.peer[index]);
  if (type === "suspect") return `${node} suspects ${peer}`;
  if (type === "trust") return `${node} trusts ${peer} again`;
  const fields = Object.entries(detail).map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  return `${node} records ${type}${fields.length > 0 ? ` (${fields.join(", ")})` : ""}`;
}

const WEIGHT = { fault: 0, record: 1, drop: 2, ok: 3, fail: 3, unknown: 3, invoke: 3, deliver: 4, send: 5, timer: 6 };

/** All that happens at one moment, the most telling first; events of one kind and type are told in one breath. */
export function momentWords(trace, t, most = 3) {
  const groups = new Map();
  const beyond = countUpTo(trace.time, t);
  for (let index = countBefore(trace.time, t); index < beyond; index += 1) {
    const kind = trace.kindOf(index);
    const together = ["send", "deliver", "drop", "timer"].includes(kind);
    const key = together ? `${kind} ${trace.type[index]} ${kind === "drop" ? trace.text[index] : ""}` : `event ${index}`;
    if (!groups.has(key)) groups.set(key, { weight: WEIGHT[kind] ?? 9, events: [] });
    groups.get(key).events.push(index);
  }
  const ordered = [...groups.values()].sort((one, other) => one.weight - other.weight || one.events[0] - other.events[0]);
  const told = ordered.slice(0, most).map(({ events }) => (events.length === 1 ? eventWords(trace, events[0]) : groupWords(trace, events)));
  const rest = ordered.slice(most).reduce((sum, { events }) => sum + events.length, 0);
  if (rest > 0) told.push(`and ${rest} more event${rest > 1 ? "s" : ""}`);
  return told.join("; ");
}

function groupWords(trace, events) {
  const [first] = events;
  const kind = trace.kindOf(first);
  const type = trace.typeOf(first);
  const from = new Set(events.map((index) => (kind === "drop" ? trace.peer[index] : trace.node[index])));
  const names = events.map((index) => trace.nameOf(kind === "send" ? trace.peer[index] : trace.node[index]));
  const few = names.length <= 6 ? list(names) : `${names.length} nodes`;
  if (kind === "timer") return `timer “${type}” of ${few} runs out`;
  if (kind === "deliver") return `${names.length} ${type} messages arrive`;
  const reason = kind === "drop" ? ` (${trace.detailOf(first)})` : "";
  if (from.size > 1) return `${names.length} ${type} messages are ${kind === "drop" ? `dropped${reason}` : "sent"}`;
  const sender = trace.nameOf([...from][0]);
  return kind === "drop" ? `${type} ${sender} → ${few}: dropped${reason}` : `${sender} sends ${type} to ${few}`;
}

/** Event → the last one up to it that changes something or isn't routine (-1: none): no timer, and no sending, arrival or loss of a message of a periodic type. */
export function tellingEvents(trace, periodic) {
  const telling = new Int32Array(trace.size);
  let last = -1;
  for (let index = 0; index < trace.size; index += 1) {
    const kind = trace.kindOf(index);
    const routine = kind === "timer" || (["send", "deliver", "drop"].includes(kind) && periodic.has(trace.type[index]));
    if (!routine) last = index;
    telling[index] = last;
  }
  return telling;
}

/** The line of text below the picture: what happens at the cursor, or what happened last; what changed before what is routine. */
export function cursorWords(trace, t, telling = null) {
  const reached = countUpTo(trace.time, t);
  if (reached === 0) return "Nothing has happened yet.";
  const last = trace.time[reached - 1];
  const places = trace.places;
  const change = telling ? telling[reached - 1] : reached - 1;
  const before = change >= 0 && trace.time[change] < last ? trace.time[change] : null;
  const words = momentWords(trace, last);
  if (before === null) return last === t ? `${seconds(t, places)}: ${words}.` : `${seconds(t, places)}. Last, at ${seconds(last, places)}: ${words}.`;
  return `${seconds(t, places)}. Last change, at ${seconds(before, places)}: ${momentWords(trace, before)}. ${last === t ? "Now" : `At ${seconds(last, places)}`}: ${words}.`;
}

/** A node in words, for screen readers and as a hint. */
export function nodeWords(name, state) {
  const parts = [`${name}: ${state.look}`];
  if (state.label && !state.down) parts.push(state.label);
  if (state.suspectedBy > 0) parts.push(`suspected by ${state.suspectedBy} of ${state.peers} live peers`);
  if (state.queue > 0) parts.push(`${state.queue} in its queue`);
  return parts.join(", ");
}

/** A message in words, as far as is known at `limit`. */
export function messageWords(trace, row, limit = Infinity) {
  const from = trace.nameOf(row.from);
  const to = trace.nameOf(row.to);
  const content = trace.textOf(row.sendEvent) || trace.types[row.type];
  const what = `${content}, ${from} → ${to}, sent at ${seconds(row.sent, trace.places)}`;
  if (row.end > limit) return `${what}, under way`;
  if (row.reason === "?") return `${what}, never arrives`;
  if (row.end === Infinity) return `${what}, still under way when the run ends`;
  if (row.reason !== null) return `${what}, dropped at ${seconds(row.end, trace.places)}: ${row.reason}`;
  const worked = row.endEvent < 0 ? Infinity : trace.time[row.endEvent];
  const waits = worked > row.end ? `, waits ${worked === Infinity ? "to the end of the run" : `until ${seconds(worked, trace.places)}`}` : "";
  return `${what}, ${row.copy ? "a copy " : ""}arrives at ${seconds(row.end, trace.places)}${waits}`;
}

/** The cells of a node's log at `t`: [[index, term, committed], …]; null if it has none. */
export function stripAt(trace, party, t) {
  let cells = null;
  for (const [time, told] of trace.strips?.[party] ?? []) {
    if (time > t) break;
    cells = told;
  }
  return cells;
}

/** A strip in words, to be put behind the words for its node. */
export function stripWords(cells) {
  if (!cells) return "";
  if (cells.length === 0) return ", log empty";
  const committed = cells.filter(([, , done]) => done).map(([index]) => index);
  return `, log of terms ${cells.map(([, term]) => term).join(" ")}, committed up to ${committed.at(-1) ?? 0}`;
}
