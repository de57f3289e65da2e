// Lines over time under the time line: throughput, latencies, queues. Painted once; only what has been played shows.

import { fitCanvas, make, say, set } from "./dom.mjs";
import { countUpTo } from "./search.mjs";

const MOST_HIGH = 150; // pixels, of all lanes together
const HIGH = 50;
const LANE_EDGE = 8; // as the time line

/** The value of a lane at `t`; null if there is none. */
export function laneAt(lane, t) {
  const place = countUpTo(lane.points.map(([time]) => time), t) - 1;
  return place < 0 ? null : lane.points[place][1];
}

/** How high each of some lanes is. */
export function laneHeight(count) {
  return Math.floor(Math.min(HIGH, MOST_HIGH / Math.max(1, count)));
}

export function lanesView() {
  const canvas = make("canvas", { "aria-hidden": "true" });
  const words = make("div", { class: "dp-lane-words" });
  const element = make("div", { class: "dp-lanes", role: "img", hidden: true }, canvas, words);
  let run = null;
  let before = null;
  let colours = {};
  let width = 0;
  let labels = [];

  function setRun(next, earlier) {
    run = next;
    before = earlier;
    const lanes = run.trace.lanes ?? [];
    element.hidden = lanes.length === 0;
    labels = lanes.map(() => make("span"));
    words.replaceChildren(...labels);
    labels.forEach((label, index) => { label.style.top = `${index * laneHeight(lanes.length)}px`; });
  }

  const x = (t) => LANE_EDGE + (t / run.trace.until) * (width - 2 * LANE_EDGE);

  function paint() {
    const lanes = run?.trace.lanes ?? [];
    width = element.clientWidth;
    if (lanes.length === 0 || width === 0) return;
    const high = laneHeight(lanes.length);
    element.style.height = `${high * lanes.length}px`;
    const context = fitCanvas(canvas, width, high * lanes.length);
    lanes.forEach((lane, index) => {
      const other = before?.trace.lanes?.[index];
      const most = Math.max(lane.most, other?.most ?? 0) || 1;
      const y = (value) => (index + 1) * high - 3 - (value / most) * (high - 8);
      context.fillStyle = colours.line;
      context.fillRect(LANE_EDGE, (index + 1) * high - 2, width - 2 * LANE_EDGE, 1);
      if (other) trace(context, other.points, y, colours.quiet, [3, 3], 1);
      trace(context, lane.points, y, colours.accent, [], 1.8);
    });
    context.setLineDash([]);
  }

  function trace(context, points, y, colour, dash, wide) {
    context.beginPath();
    context.strokeStyle = colour;
    context.lineWidth = wide;
    context.setLineDash(dash);
    points.forEach(([time, value], place) => {
      if (value === null) return;
      const end = points[place + 1]?.[0] ?? run.trace.until;
      if (place > 0 && points[place - 1][1] !== null) context.lineTo(x(time), y(value));
      else context.moveTo(x(time), y(value));
      context.lineTo(x(end), y(value));
    });
    context.stroke();
  }

  function draw(t, limit) {
    const lanes = run?.trace.lanes ?? [];
    if (lanes.length === 0 || width === 0) return;
    canvas.style.clipPath = `inset(0 ${Math.max(0, width - x(limit)).toFixed(1)}px 0 0)`;
    const told = lanes.map((lane) => {
      const value = laneAt(lane, t);
      return `${lane.name}: ${value === null ? "none" : `${value}${lane.unit.startsWith("/") ? "" : " "}${lane.unit}`.trim()}`;
    });
    told.forEach((text, index) => say(labels[index], text));
    set(element, "aria-label", told.join("; "));
  }

  return { element, setRun, paint, draw, setColours: (next) => { colours = next; } };
}
