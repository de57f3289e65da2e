// Messages between sending and arrival.

import { countUpTo } from "./search.mjs";

const STRIDE = 128; // a list of the messages under way is kept for every so many messages

/**
 * Pair every sending with its end. Columns, in order of sending: `from`, `to`, `sent`, `end` (µs; Infinity if still under way at
 * the end of the run), `type`, `sendEvent`, `endEvent` (-1 if none), `reason` (null: arrived or under way).
 */
export function buildMessages(trace) {
  const rows = [];
  const open = new Map();
  const arrivals = new Map(trace.arrivals); // event → when the message reached its node, if it had to wait there
  const send = trace.kinds.indexOf("send");
  const deliver = trace.kinds.indexOf("deliver");
  const drop = trace.kinds.indexOf("drop");
  for (let index = 0; index < trace.size; index += 1) {
    const kind = trace.kind[index];
    if (kind === send) {
      const row = {
        from: trace.node[index], to: trace.peer[index], sent: trace.time[index], end: Infinity,
        type: trace.type[index], sendEvent: index, endEvent: -1, reason: null, copy: false,
      };
      rows.push(row);
      open.set(trace.message[index], row);
    } else if (kind === deliver || kind === drop) {
      let row = open.get(trace.message[index]);
      if (!row) continue;
      if (row.endEvent !== -1) { // a duplicate: the same message arrives once more
        row = { ...row, copy: true };
        rows.push(row);
      }
      row.end = arrivals.get(index) ?? trace.time[index];
      row.endEvent = index;
      row.reason = kind === drop ? String(trace.detailOf(index)) : null;
    }
  }
  for (const [number, time] of trace.waiting) { // still in a queue when the run ends
    const row = open.get(number);
    if (row && row.endEvent === -1 && row.end === Infinity) row.end = time;
    else if (row) rows.push({ ...row, end: time, endEvent: -1, reason: null, copy: true });
  }
  const typicalDelay = typical(rows, trace);
  for (const number of trace.untold ?? []) { // of a lost message nobody hears: at some time it is just not there any more
    const row = open.get(number);
    if (row && row.endEvent === -1) Object.assign(row, { end: row.sent + typicalDelay, reason: "?" });
  }
  rows.sort((one, other) => one.sendEvent - other.sendEvent);
  const sent = Float64Array.from(rows, (row) => row.sent);
  const fade = Math.min(3 * typicalDelay, trace.until / 10);
  return { rows, sent, typicalDelay, fade, checkpoints: checkpoints(rows, fade) };
}

function typical(rows, trace) {
  const delays = rows.filter((row) => row.end > row.sent && row.end < Infinity).map((row) => row.end - row.sent);
  delays.sort((one, other) => one - other);
  return delays.length > 0 ? delays[delays.length >> 1] : Math.max(1, trace.until / 100);
}

/** Which message from its sender to its goal it is, from 1. */
export function numberOf(messages, row) {
  return messages.rows.filter((other) => !other.copy && other.from === row.from && other.to === row.to && other.sendEvent <= row.sendEvent).length;
}

/** For every STRIDE-th message: which earlier ones can still be seen when it is sent. */
function checkpoints(rows, fade) {
  const kept = [];
  let alive = [];
  for (let index = 0; index < rows.length; index += 1) {
    if (index % STRIDE === 0) {
      alive = alive.filter((row) => seenUntil(rows[row], fade) > rows[index].sent);
      kept.push(alive.slice());
    }
    alive.push(index);
  }
  return kept;
}

const seenUntil = (row, fade) => (row.reason === null ? row.end : row.end + fade);

/** Messages that can be seen in [from, to]: under way, or dropped so lately that they are still fading. Indices, in order. */
export function messagesBetween(messages, from, to) {
  const { rows, sent, fade } = messages;
  const found = [];
  const reached = countUpTo(sent, from);
  const place = Math.max(0, Math.ceil(reached / STRIDE) - 1);
  const start = reached === 0 ? 0 : place * STRIDE;
  if (reached > 0) for (const row of messages.checkpoints[place]) if (seenUntil(rows[row], fade) > from) found.push(row);
  for (let row = start; row < rows.length && sent[row] <= to; row += 1) if (seenUntil(rows[row], fade) > from) found.push(row);
  return found;
}

/**
 * How far a message has come at `t`: { part: 0 … 1 of the way, fading: 1 … 0 }. One that is dropped as it is sent is shown a third
 * of the way out; one dropped on arrival, just before its goal.
 */
export function progress(messages, row, t) {
  const { typicalDelay, fade } = messages;
  if (row.reason !== null && t >= row.end) {
    const part = row.end === row.sent ? 0.33 : goalOf(row);
    return { part, fading: Math.max(0, 1 - (t - row.end) / fade) };
  }
  if (row.end === Infinity) return { part: Math.min(0.9, (t - row.sent) / (2 * typicalDelay)), fading: 1 };
  const span = row.end - row.sent;
  return { part: span > 0 ? (goalOf(row) * (t - row.sent)) / span : 0, fading: 1 };
}

/** How far on its way a message comes. */
const goalOf = (row) => (row.reason === null ? 1 : row.reason === "?" ? 0.5 : 0.82);
