// Where a moment lies in a sorted column. Moments are whole microseconds.

/** How many entries of a sorted column are at or before `t`. */
export function countUpTo(sorted, t) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] <= t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** How many entries of a sorted column are before `t`. */
export function countBefore(sorted, t) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < t) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first moment after `t` at which an event happens that `wanted(index)` accepts; null if there is none. */
export function nextMoment(trace, t, wanted = () => true) {
  for (let index = countUpTo(trace.time, t); index < trace.size; index += 1) {
    if (wanted(index)) return trace.time[index];
  }
  return null;
}

/** The last moment before `t` at which an event happens that `wanted(index)` accepts; null if there is none. */
export function previousMoment(trace, t, wanted = () => true) {
  for (let index = countBefore(trace.time, t) - 1; index >= 0; index -= 1) {
    if (wanted(index)) return trace.time[index];
  }
  return null;
}

/** What the learner can jump to: name → does event `index` count? */
export const JUMPS = {
  "any event": () => true,
  "change of state": (trace, index) => trace.kindOf(index) === "record" && trace.typeOf(index) === "status",
  fault: (trace, index) => trace.kindOf(index) === "fault",
  suspicion: (trace, index) =>
    trace.kindOf(index) === "record" && ["suspect", "trust"].includes(trace.typeOf(index)),
  record: (trace, index) => trace.kindOf(index) === "record",
  "message sent": (trace, index) => trace.kindOf(index) === "send",
  "message delivered": (trace, index) => trace.kindOf(index) === "deliver",
  "message dropped": (trace, index) => trace.kindOf(index) === "drop",
  timer: (trace, index) => trace.kindOf(index) === "timer",
  "client operation": (trace, index) => ["invoke", "ok", "fail", "unknown"].includes(trace.kindOf(index)),
};

/** The names of `JUMPS` of which this run has at least one event. */
export function jumpsOf(trace) {
  return Object.keys(JUMPS).filter((name) => {
    for (let index = 0; index < trace.size; index += 1) if (JUMPS[name](trace, index)) return true;
    return false;
  });
}
