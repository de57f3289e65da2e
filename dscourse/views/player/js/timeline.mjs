// The whole run as one strip: a tick per event, a band per fault, a cursor. It is a slider, for mouse, keys and screen readers.

import { fitCanvas, make, set } from "./dom.mjs";
import { axisTicks } from "./geometry.mjs";
import { seconds } from "./words.mjs";

const TICKS = 24; // pixels of height for the ticks
const AXIS = 15;
const FAULTS = 39; // for the bands of faults, however many stand above each other: what is below must not move
const LANE = 13; // of one band, if there is room
const EDGE = 8;

/** Put bands that overlap in time into different lanes, of which each takes at least `least`; returns the lane of each and their number. */
export function lanesOf(bands, least = 0) {
  const ends = [];
  const lanes = bands.map((band) => {
    let lane = ends.findIndex((end) => end <= band.from);
    if (lane < 0) lane = ends.push(0) - 1;
    ends[lane] = Math.max(band.to, band.from + least);
    return lane;
  });
  return { lanes, count: ends.length };
}

/** How high each pixel column's tick is, and of what sort: the most telling event in it wins. */
export function tickColumns(trace, width) {
  const rank = { fault: 4, record: 3, drop: 2, ok: 2, fail: 2, unknown: 2 };
  const ranks = trace.kinds.map((kind) => rank[kind] ?? 1);
  const columns = new Uint8Array(Math.max(1, Math.ceil(width)));
  for (let index = 0; index < trace.size; index += 1) {
    const column = Math.min(columns.length - 1, Math.floor((trace.time[index] / trace.until) * (columns.length - 1)));
    columns[column] = Math.max(columns[column], ranks[trace.kind[index]]);
  }
  return columns;
}

/** `seek(t)` is called as the learner drags. */
export function timelineView(seek) {
  const axis = make("canvas", { "aria-hidden": "true" });
  const canvas = make("canvas", { "aria-hidden": "true" });
  const cursor = make("div", { class: "dp-cursor", "aria-hidden": "true" });
  const element = make("div", { class: "dp-timeline", role: "slider", tabindex: "0", "aria-label": "time", "aria-valuemin": "0" }, axis, canvas, cursor);
  let trace = null;
  let colours = {};
  let parting = null;
  let width = 0;
  let lanes = { lanes: [], count: 0 };
  let limit = Infinity; // µs: what comes later isn't drawn
  let begun = ""; // which faults, and whether the parting, are drawn

  const x = (t) => EDGE + (t / trace.until) * (width - 2 * EDGE);

  function setRun(run, difference) {
    trace = run.trace;
    parting = difference;
    lanes = lanesOf(trace.bands, trace.until / 6);
    begun = "";
    set(element, "aria-valuemax", (trace.until / 1e6).toFixed(2));
  }

  function paint() {
    width = element.clientWidth;
    if (!trace || width === 0) return;
    const height = TICKS + AXIS + FAULTS;
    element.style.height = `${height}px`;
    paintAxis(fitCanvas(axis, width, height));
    const context = fitCanvas(canvas, width, height);
    const heights = [0, 8, 15, 19, 23];
    const tints = [null, colours.quiet, "#E69F00", "#009E73", colours.alarm];
    const columns = tickColumns(trace, width - 2 * EDGE);
    columns.forEach((rank, column) => {
      if (rank === 0) return;
      context.fillStyle = tints[rank];
      context.fillRect(EDGE + column, TICKS - heights[rank], rank > 2 ? 2 : 1, heights[rank]);
    });
    context.font = "11px sans-serif";
    trace.bands.forEach((band, index) => { if (band.from <= limit) paintBand(context, band, lanes.lanes[index]); });
    if (parting && parting.time <= limit) paintParting(context, height);
    begun = toBegin();
  }

  const toBegin = () => `${trace.bands.filter((band) => band.from <= limit).length} ${parting !== null && parting.time <= limit}`;

  function paintAxis(context) {
    context.fillStyle = colours.ink;
    context.fillRect(EDGE, TICKS, width - 2 * EDGE, 1);
    context.font = "11px sans-serif";
    for (const tick of axisTicks(0, trace.until, width / 90)) {
      const text = `${tick / 1e6} s`;
      const at = Math.min(width - EDGE - context.measureText(text).width, Math.max(0, x(tick) - context.measureText(text).width / 2));
      context.fillRect(x(tick), TICKS, 1, 4);
      context.fillText(text, at, TICKS + 14);
    }
  }

  function paintBand(context, band, lane) {
    const high = Math.min(LANE, FAULTS / Math.max(1, lanes.count));
    const top = TICKS + AXIS + lane * high;
    const from = x(band.from);
    const to = Math.max(from + 3, x(Math.min(band.to, trace.until)));
    context.fillStyle = colours.alarm;
    context.globalAlpha = 0.22;
    context.fillRect(from, top, to - from, high - 1);
    context.globalAlpha = 1;
    context.fillRect(from, top, 2, high - 1);
    if (band.to <= trace.until) context.fillRect(to - 2, top, 2, high - 1);
    if (high < 9) return; // no room for words: the line of text tells them
    context.font = `${Math.min(11, high - 1)}px sans-serif`;
    context.fillStyle = colours.ink;
    const wide = context.measureText(band.label).width;
    const room = width - EDGE - from - 5;
    if (wide <= room) context.fillText(band.label, from + 5, top + high - 3);
    else context.fillText(band.label, Math.max(EDGE, from - wide - 4), top + high - 3);
  }

  function paintParting(context, height) {
    context.strokeStyle = colours.ink;
    context.setLineDash([3, 3]);
    context.beginPath();
    context.moveTo(x(parting.time), 0);
    context.lineTo(x(parting.time), height);
    context.stroke();
    context.setLineDash([]);
    const text = "here the runs part";
    const wide = context.measureText(text).width;
    const at = x(parting.time) + 4 + wide > width ? x(parting.time) - 4 - wide : x(parting.time) + 4;
    context.fillStyle = colours.paper;
    context.fillRect(at - 1, 0, wide + 2, 12);
    context.fillStyle = colours.ink;
    context.fillText(text, at, 10);
  }

  function draw(t, shownTo = Infinity) {
    if (!trace || width === 0) return;
    limit = shownTo;
    if (begun !== toBegin()) paint();
    canvas.style.clipPath = `inset(0 ${Math.max(0, limit >= trace.until ? 0 : width - x(limit) - 1).toFixed(1)}px 0 0)`;
    cursor.style.transform = `translateX(${x(t).toFixed(1)}px)`;
    set(element, "aria-valuenow", (t / 1e6).toFixed(3));
    set(element, "aria-valuetext", seconds(t));
  }

  const seekTo = (event) => {
    const frame = element.getBoundingClientRect();
    const part = ((event.clientX - frame.left) * (width / frame.width) - EDGE) / (width - 2 * EDGE);
    seek(Math.round(Math.max(0, Math.min(1, part)) * trace.until));
  };
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || !trace) return;
    element.setPointerCapture(event.pointerId);
    seekTo(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId)) seekTo(event);
  });

  return { element, setRun, paint, draw, setColours: (next) => { colours = next; } };
}
