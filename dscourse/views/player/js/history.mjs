// What each node shows, as lists of changes that a binary search finds its way in: a scrub never replays the trace.

import { countUpTo } from "./search.mjs";

/**
 * Read the trace once. `nodes[p]` holds, for party p, the moments of its changes (`at`) and what held from then on (`shown`:
 * { status, label, down, paused, suspectedBy, queue }).
 */
export function buildHistory(trace) {
  const count = trace.parties.length;
  const nodes = trace.parties.map(() => ({ at: [], shown: [] }));
  const now = trace.parties.map(() => ({
    status: "up", label: "", down: false, paused: false, suspectedBy: 0, queue: 0,
  }));
  const suspects = trace.parties.map(() => new Set()); // observer → whom it suspects
  const keep = (party, time) => {
    const list = nodes[party];
    const shown = { ...now[party] };
    if (list.at.length > 0 && list.at[list.at.length - 1] === time) list.shown[list.shown.length - 1] = shown;
    else {
      list.at.push(time);
      list.shown.push(shown);
    }
  };
  const clear = (observer, time) => {
    for (const peer of suspects[observer]) {
      now[peer].suspectedBy -= 1;
      keep(peer, time);
    }
    suspects[observer].clear();
  };
  for (let party = 0; party < count; party += 1) keep(party, 0);
  const record = trace.kinds.indexOf("record");
  const names = { status: trace.types.indexOf("status"), suspect: trace.types.indexOf("suspect"), trust: trace.types.indexOf("trust") };
  let mark = 0; // marks and events are both in order of time; at one moment the marks come first, as faults do
  const applyMarks = (until) => {
    for (; mark < trace.marks.length && trace.marks[mark][0] <= until; mark += 1) {
      const [time, party, change] = trace.marks[mark];
      const state = now[party];
      if (change === "down") {
        clear(party, time);
        Object.assign(state, { status: "up", label: "", down: true, paused: false });
      } else if (change === "up") state.down = false;
      else if (change === "paused") state.paused = true;
      else if (change === "resumed") state.paused = false;
      else state.queue += change;
      keep(party, time);
    }
  };
  for (let index = 0; index < trace.size; index += 1) {
    const time = trace.time[index];
    applyMarks(time);
    if (trace.kind[index] !== record) continue;
    const node = trace.node[index];
    const type = trace.type[index];
    if (type === names.status) {
      const detail = trace.detailOf(index);
      now[node].status = String(detail.status ?? "up");
      now[node].label = detail.label === undefined || detail.label === null ? "" : String(detail.label);
      keep(node, time);
    } else if (type === names.suspect || type === names.trust) {
      const peer = trace.peer[index];
      if (peer >= count) continue;
      if (type === names.suspect && !suspects[node].has(peer)) {
        suspects[node].add(peer);
        now[peer].suspectedBy += 1;
      } else if (type === names.trust && suspects[node].delete(peer)) now[peer].suspectedBy -= 1;
      keep(peer, time);
    }
  }
  applyMarks(Infinity);
  const neighbours = trace.parties.map(() => []);
  for (const [a, b] of trace.linkKeys) {
    neighbours[a].push(b);
    neighbours[b].push(a);
  }
  return { nodes, neighbours, firstSeen: firstSeen(trace, nodes) };
}

/** A state as the eye sees it. */
const lookOf = (state) => (state.down ? "crashed" : state.paused ? "paused" : state.status);

/** Look → when a node first had it (µs). */
function firstSeen(trace, nodes) {
  const seen = {};
  nodes.forEach(({ at, shown }, party) => {
    if (trace.parties[party].client) return;
    shown.forEach((state, place) => {
      const look = lookOf(state);
      seen[look] = Math.min(seen[look] ?? Infinity, at[place]);
    });
  });
  return seen;
}

/** What party p shows at `t`, after every event at or before `t`. */
export function shownAt(history, party, t) {
  const list = history.nodes[party];
  return list.shown[Math.max(0, countUpTo(list.at, t) - 1)];
}

/** What every party shows at `t`, with `status` as the eye sees it and `peers`, the number of live neighbours. */
export function clusterAt(history, t) {
  const shown = history.nodes.map((_, party) => shownAt(history, party, t));
  return shown.map((state, party) => {
    let peers = 0;
    for (const other of history.neighbours[party]) if (!shown[other].down) peers += 1;
    return { ...state, look: lookOf(state), peers };
  });
}

/** The faults in force at `t`; intervals are [from, to). */
export function bandsAt(trace, t) {
  return trace.bands.filter((band) => band.from <= t && t < band.to);
}

/** May `a` talk to `b` while `bands` are in force? Every partition and every cut must allow it. */
export function mayTalk(trace, bands, a, b) {
  for (const band of bands) {
    if (band.kind === "cut") {
      const [from, to] = band.link;
      if ((from === a && to === b) || (!band.oneWay && from === b && to === a)) return false;
    } else if (band.kind === "partition" && !band.groups.some((group) => group.includes(a) && group.includes(b))) {
      return false;
    }
  }
  return true;
}
