// How fast time goes by in play.

import { messagesBetween } from "./messages.mjs";
import { nextMoment, previousMoment } from "./search.mjs";

export const SPEEDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
export const BY_EVENTS = "events";
const LEAST_FLIGHT = 300; // ms that a message can be seen, by events
const LONGEST_WAIT = 400; // ms from one event to the next, if nothing is under way
const TOO_SHORT = 150; // ms: a message that is under way for less can't be followed
const MOST_FOLLOWED = 3000; // messages: by events, more of them would take a quarter of an hour

/** The speed at which a run takes about twenty seconds. */
export function fittingSpeed(until) {
  const wanted = until / 1e6 / 20;
  return SPEEDS.reduce((best, speed) => (Math.abs(Math.log(speed / wanted)) < Math.abs(Math.log(best / wanted)) ? speed : best));
}

/** The pace to begin with: by events if messages would flit by too fast to be seen, and aren't too many for that. */
export function fittingPace(trace, messages) {
  const speed = fittingSpeed(trace.until);
  const seen = messages.typicalDelay / 1000 / speed;
  const count = messages.rows.length;
  return count > 0 && count <= MOST_FOLLOWED && seen < TOO_SHORT ? BY_EVENTS : speed;
}

/** Where the cursor is `passed` ms later. By events, it stops for a moment at each, and messages take a while to arrive. */
export function advance({ trace, messages, hiddenTypes }, t, passed, pace) {
  const usual = 1000 * (pace === BY_EVENTS ? fittingSpeed(trace.until) : pace); // µs a ms
  if (pace !== BY_EVENTS) return Math.min(trace.until, Math.round(t + passed * usual));
  const flights = messagesBetween(messages, t, t).map((row) => messages.rows[row])
    .filter((row) => row.end > t && row.end < Infinity && row.end > row.sent && !hiddenTypes.has(row.type))
    .map((row) => row.end - row.sent).sort((one, other) => one - other);
  const next = nextMoment(trace, t) ?? trace.until;
  let rate = flights.length > 0 ? Math.min(usual, flights[flights.length >> 1] / LEAST_FLIGHT) : usual;
  if (flights.length === 0) rate = Math.max(rate, (next - (previousMoment(trace, t + 1) ?? 0)) / LONGEST_WAIT);
  return Math.min(trace.until, next, Math.max(t + 1, Math.round(t + passed * rate)));
}
