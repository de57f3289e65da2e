// The cluster as a graph: links and messages on canvases, nodes as elements that can be clicked, focused and read aloud.

import { MESSAGE_SHAPES, fitCanvas, make, makeSvg, say, set, traceShape } from "./dom.mjs";
import { arcPath, caught, corners, fits, hull, inkOf, nameFits, nearest, onCircle, placeParties, placeWords, printAll, roomFor, shapePath, shortened } from "./geometry.mjs";
import { bandsAt, clusterAt, mayTalk } from "./history.mjs";
import { messagesBetween, progress } from "./messages.mjs";
import { nodeWords, stripAt, stripWords } from "./words.mjs";

const LINK_REACH = 12; // pixels on either side of a link that count as the link
const LASSO_STARTS = 6; // pixels
const CROWD = 30; // dropped messages in the picture; more are drawn smaller
const MANY = 300; // messages in the picture
const ROOMY = 20; // up to so many nodes have their state written beside them
const CROWDED = 8; // from so many nodes on a circle, it stands at their outer side
const LINE = 15; // pixels

const MESSAGE_REACH = 9; // pixels around a message that count as the message
const MOST_DOTS = 12; // messages that wait, drawn one by one
const GAUGE = 72; // how wide they and their words are

/** `does`: { node(party, element), link(a, b, point), message(row, point), lasso(parties), focusNode(party) }; without it, the picture is only for looking. */
export function clusterView(title, does = null) {
  const links = make("canvas", { "aria-hidden": "true" });
  const flights = make("canvas", { "aria-hidden": "true" });
  const svg = makeSvg("svg", { class: "dp-nodes", role: "group", "aria-label": title });
  const lasso = makeSvg("polyline", { class: "dp-lasso" });
  const hint = makeSvg("line", { class: "dp-link-hint" });
  svg.append(hint, lasso);
  const box = make("div", { class: "dp-graph" }, links, flights, svg);
  const legend = make("ul", { class: "dp-legend", "aria-label": "what the shapes mean" });
  const caption = make("figcaption", { text: title });
  const element = make("figure", { class: "dp-cluster" }, caption, box, legend);

  let run = null;
  let colours = {};
  let positions = [];
  let parts = [];
  let radius = 20;
  let beside = false;
  let size = [0, 0];
  let drawnBands = null;
  let spots = []; // where the messages under way are: { x, y, row }
  let legendOf = null;
  let marked = new Set();
  let state = [];
  const stamps = new Map();
  let sheet = null;

  function setRun(next) {
    run = next;
    const { trace } = run;
    drawnBands = null;
    for (const part of parts) part.group.remove();
    const count = trace.parties.length;
    radius = count <= 8 ? 20 : count <= 16 ? 17 : count <= 30 ? 13 : 10;
    box.classList.toggle("dp-many", count > 16);
    box.classList.toggle("dp-several", (count > 8 || hasStrips()) && count <= 16);
    beside = count >= CROWDED && count <= ROOMY && onCircle(trace.parties);
    parts = trace.parties.map((party, index) => makeNode(party, index));
    for (const part of parts) svg.append(part.group);
    svg.append(lasso);
    if (parts.length > 0 && does) parts[0].group.setAttribute("tabindex", "0");
    legendOf = null;
    if (!resize() && size[0] > 0) place();
  }

  function makeNode(party, index) {
    const hit = makeSvg("circle", { r: Math.max(12.5, radius + 3), class: "dp-hit" });
    const ring = makeSvg("path", { class: "dp-suspicion" });
    const mark = makeSvg("circle", { class: "dp-mark", r: radius + 6 });
    const shape = makeSvg("path", { class: "dp-shape" });
    const name = makeSvg("text", { class: "dp-name", y: "0.35em", text: party.id, style: radius < 12 ? "font-size: 10px" : null });
    const label = makeSvg("text", { class: "dp-label" });
    const words = placeWords(party, radius, beside);
    const outside = !party.client && !nameFits(party.id, radius);
    for (const text of outside ? [name, label] : [label]) {
      set(text, "x", String(words.x));
      set(text, "y", String(words.y));
      text.style.textAnchor = words.anchor;
    }
    if (outside) {
      name.classList.add("dp-outside");
      set(label, "y", String(words.y + LINE));
    }
    const doubt = makeSvg("text", { class: "dp-doubt" });
    const gauge = makeSvg("g", { class: "dp-gauge" }, makeSvg("path", { class: "dp-gauge-fill" }), makeSvg("text", { class: "dp-gauge-text" }));
    const strip = makeSvg("g", { class: "dp-strip", "aria-hidden": "true" });
    const hover = makeSvg("title");
    const group = makeSvg("g", { class: "dp-node", "data-node": party.id }, hover, hit, mark, ring, shape, name, label, doubt, gauge, strip);
    if (does && !party.client) {
      set(group, "role", "button");
      set(group, "aria-haspopup", "menu");
      set(group, "tabindex", "-1");
      group.addEventListener("click", (event) => {
        event.stopPropagation();
        does.node(index, group);
      });
      group.addEventListener("focus", () => {
        for (const part of parts) set(part.group, "tabindex", part.group === group ? "0" : "-1");
        does.focusNode(index);
      });
    } else set(group, "role", "img");
    return { group, hit, ring, mark, shape, name, label, doubt, gauge, strip, hover, outside, words, room: Infinity, drawn: "" };
  }

  /** What the shapes mean that have been seen up to `limit`. */
  function showLegend(limit) {
    const { trace, history } = run;
    const seen = Object.keys(trace.looks).filter((name) => name in history.firstSeen && history.firstSeen[name] <= limit);
    if (legendOf === seen.join()) return;
    legendOf = seen.join();
    const items = seen.map((name) => trace.looks[name]).map((look) => {
      const picture = makeSvg("svg", { width: 18, height: 18, viewBox: "-10 -10 20 20", "aria-hidden": "true" },
        makeSvg("path", { d: shapePath(look.shape, 7), class: "dp-shape", style: `fill:${look.colour}` }));
      return make("li", {}, picture, make("span", { text: look.label }));
    });
    legend.replaceChildren(...items);
  }

  function resize() {
    const width = box.clientWidth;
    const height = box.clientHeight;
    if (!run || width === 0) return false;
    if (size[0] === width && size[1] === height) return false;
    size = [width, height];
    place();
    return true;
  }

  function place() {
    const [width, height] = size;
    const margin = radius + (parts.length <= ROOMY ? 30 : 10) + (parts.some((part) => part.outside) ? LINE : 0) + (hasStrips() ? 11 : 0);
    const gauged = run.trace.parties.some((party) => party.queues) ? radius + 70 : 0; // "12 queued" stands at the right of a node
    const sideMargin = beside ? Math.min(radius + 85, Math.max(margin, 0.25 * width)) : Math.max(margin, gauged, hasStrips() ? 150 : 0); // cells run wider than a name
    positions = placeParties(run.trace.parties, width, height, margin, sideMargin);
    if (hasStrips()) positions.forEach((position) => { position[1] -= 11; }); // the room for them is below
    set(svg, "viewBox", `0 0 ${width} ${height}`);
    parts.forEach((part, index) => {
      part.room = roomFor(part.words, positions[index][0], width);
      set(part.group, "transform", `translate(${positions[index][0].toFixed(1)} ${positions[index][1].toFixed(1)})`);
      part.drawn = "";
    });
    drawnBands = null;
  }

  function draw(t, limit = Infinity) {
    if (!run) return;
    showLegend(limit);
    if (size[0] === 0 && !resize()) return;
    const bands = bandsAt(run.trace, t);
    const key = bands.filter((band) => band.link || band.groups.length > 0).map((band) => band.number).join();
    if (key !== drawnBands) {
      drawLinks(bands);
      drawnBands = key;
    }
    drawFlights(t, bands);
    drawNodes(t);
  }

  function drawLinks(bands) {
    const context = fitCanvas(links, ...size);
    const { trace } = run;
    const crowded = trace.linkKeys.length > 120;
    for (const band of bands.filter((one) => one.kind === "partition")) drawSides(context, band);
    const slow = bands.filter((band) => ["lossy", "slow", "duplicate"].includes(band.kind) && band.link);
    const open = new Path2D();
    const closed = new Path2D();
    const weak = new Path2D();
    for (const [a, b] of trace.linkKeys) {
      const there = mayTalk(trace, bands, a, b);
      const back = trace.directed ? there : mayTalk(trace, bands, b, a);
      const path = !there && !back ? closed : slow.some(({ link }) => link.includes(a) && link.includes(b)) ? weak : open;
      const [[x1, y1], [x2, y2]] = [positions[a], positions[b]];
      if (there && back) line(path, x1, y1, x2, y2);
      else cutLine(path === closed ? closed : weak, x1, y1, x2, y2, there || back ? (there ? [b, a] : [a, b]) : null, context);
    }
    context.lineWidth = 1;
    context.strokeStyle = colours.line;
    context.globalAlpha = crowded ? 0.35 : 1;
    context.stroke(open);
    context.globalAlpha = 1;
    context.lineWidth = 2;
    context.strokeStyle = colours.quiet;
    context.setLineDash([2, 4]);
    context.stroke(weak);
    context.lineWidth = crowded ? 1 : 1.6;
    context.strokeStyle = colours.alarm;
    context.globalAlpha = crowded ? 0.4 : 1;
    context.setLineDash([5, 4]);
    context.stroke(closed);
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  function line(path, x1, y1, x2, y2) {
    path.moveTo(x1, y1);
    path.lineTo(x2, y2);
  }

  /** A cut: the line with a gap in the middle and a bar on either side of it. One way only: one bar, at the end that hears nothing. */
  function cutLine(path, x1, y1, x2, y2, silent, context) {
    const length = Math.hypot(x2 - x1, y2 - y1) || 1;
    const [ux, uy] = [(x2 - x1) / length, (y2 - y1) / length];
    const bar = (x, y) => {
      context.beginPath();
      context.moveTo(x - 6 * uy, y + 6 * ux);
      context.lineTo(x + 6 * uy, y - 6 * ux);
      context.strokeStyle = colours.alarm;
      context.lineWidth = 2.5;
      context.stroke();
    };
    const [mx, my] = [(x1 + x2) / 2, (y1 + y2) / 2];
    if (silent) {
      line(path, x1, y1, x2, y2);
      const end = positions[silent[1]];
      const away = Math.hypot(mx - end[0], my - end[1]) || 1;
      bar(end[0] + ((mx - end[0]) / away) * (radius + 12), end[1] + ((my - end[1]) / away) * (radius + 12));
      return;
    }
    line(path, x1, y1, mx - 5 * ux, my - 5 * uy);
    line(path, mx + 5 * ux, my + 5 * uy, x2, y2);
    if (run.trace.linkKeys.length <= 120) {
      bar(mx - 5 * ux, my - 5 * uy);
      bar(mx + 5 * ux, my + 5 * uy);
    }
  }

  function drawSides(context, band) {
    context.save();
    context.lineJoin = "round";
    context.lineCap = "round";
    for (const group of band.groups) {
      const outline = hull(group.flatMap((party) => [positions[party], [positions[party][0], positions[party][1] + 14]])); // room for the label
      for (const [width, colour] of [[2 * radius + 26, colours.alarm], [2 * radius + 23, colours.paper]]) {
        context.beginPath();
        outline.forEach(([x, y], index) => (index === 0 ? context.moveTo(x, y) : context.lineTo(x, y)));
        if (outline.length === 1) context.lineTo(outline[0][0] + 0.01, outline[0][1]);
        context.closePath();
        context.lineWidth = width;
        context.strokeStyle = colour;
        context.stroke();
        if (colour === colours.paper) {
          context.fillStyle = colour;
          context.fill();
        }
      }
    }
    context.restore();
  }

  function drawFlights(t) {
    const context = fitCanvas(flights, ...size);
    const { trace, messages } = run;
    const r = trace.parties.length > 30 ? 3 : 5;
    const byType = new Map();
    const drops = [];
    spots = [];
    for (const index of messagesBetween(messages, t, t)) {
      const row = messages.rows[index];
      if (run.hiddenTypes.has(row.type)) continue;
      const { part, fading } = progress(messages, row, t);
      const [[x1, y1], [x2, y2]] = [positions[row.from], positions[row.to]];
      const length = Math.hypot(x2 - x1, y2 - y1) || 1;
      const x = x1 + part * (x2 - x1) + (4 * (y2 - y1)) / length; // keep to the right: there and back don't cover each other
      const y = y1 + part * (y2 - y1) - (4 * (x2 - x1)) / length;
      if (row.reason !== null && t >= row.end) drops.push({ x, y, fading, reason: row.reason, to: row.to, leftwards: x2 > x1 });
      else spots.push({ x, y, row });
      if (row.reason !== null && t >= row.end) continue;
      if (byType.has(row.type)) byType.get(row.type).push([x, y]);
      else byType.set(row.type, [[x, y]]);
    }
    drawShapes(context, byType, r);
    context.font = "12px sans-serif";
    context.lineWidth = 2.5;
    const arm = drops.length > CROWD ? 3 : 5;
    for (const { x, y, fading } of drops) {
      context.globalAlpha = Math.max(0.15, fading);
      context.strokeStyle = colours.alarm;
      context.beginPath();
      context.moveTo(x - arm, y - arm);
      context.lineTo(x + arm, y + arm);
      context.moveTo(x + arm, y - arm);
      context.lineTo(x - arm, y + arm);
      context.stroke();
    }
    context.globalAlpha = 1;
    drawReasons(context, drops);
  }

  /** Beside a drop the word that tells its reason; the latest drop at a node speaks for the others there, and no word covers another. */
  function drawReasons(context, drops) {
    const told = new Set();
    const written = [];
    context.strokeStyle = colours.paper;
    context.fillStyle = colours.ink;
    context.lineWidth = 3;
    for (const { x, y, fading, reason, to, leftwards } of drops.reverse()) {
      const place = `${reason} ${to}`;
      const wide = context.measureText(reason).width;
      const left = leftwards ? x - 8 - wide : x + 8; // away from the node that it did not reach
      if (told.has(place) || told.size >= 8 || !fits(written, [left, y - 7, wide, 14])) continue;
      told.add(place);
      written.push([left, y - 7, wide, 14]);
      context.globalAlpha = Math.max(0.15, fading);
      context.strokeText(reason, left, y + 4);
      context.fillText(reason, left, y + 4);
    }
    context.globalAlpha = 1;
  }

  /** A few shapes are drawn. Thousands a frame would take too long: they are printed into the picture pixel by pixel. */
  function drawShapes(context, byType, r) {
    const half = r + 2;
    const many = [...byType.values()].reduce((sum, places) => sum + places.length, 0) > MANY;
    if (!many) {
      for (const [type, places] of byType) {
        const stamp = stampOf(run.messageLook(type, colours.dark), r);
        for (const [x, y] of places) context.drawImage(stamp, x - half, y - half, 2 * half, 2 * half);
      }
      return;
    }
    const { width, height } = flights;
    if (!sheet || sheet.width !== width || sheet.height !== height) sheet = new ImageData(width, height);
    const pixels = new Uint32Array(sheet.data.buffer);
    pixels.fill(0);
    const scale = width / size[0];
    for (const [type, places] of byType) {
      const stamp = stampOf(run.messageLook(type, colours.dark), r);
      const data = stamp.getContext("2d").getImageData(0, 0, stamp.width, stamp.height).data;
      const ink = inkOf(new Uint32Array(data.buffer), stamp.width, width);
      printAll(pixels, width, height, ink, stamp.width, places.map(([x, y]) => [(x - half) * scale, (y - half) * scale]));
    }
    context.putImageData(sheet, 0, 0);
  }

  /** A message, painted once and then stamped wherever one is. */
  function stampOf(look, r) {
    const key = `${look.colour} ${look.shape} ${r} ${colours.paper}`;
    if (!stamps.has(key)) {
      const stamp = document.createElement("canvas");
      const context = fitCanvas(stamp, 2 * r + 4, 2 * r + 4);
      context.beginPath();
      traceShape(context, corners(MESSAGE_SHAPES[look.shape], r), r + 2, r + 2, r);
      context.fillStyle = look.colour;
      context.strokeStyle = colours.paper;
      context.fill();
      context.stroke();
      stamps.set(key, stamp);
    }
    return stamps.get(key);
  }

  function drawNodes(t) {
    state = clusterAt(run.history, t);
    const roomy = parts.length <= ROOMY;
    parts.forEach((part, index) => {
      const one = state[index];
      const party = run.trace.parties[index];
      const side = positions[index][0] + radius + GAUGE > size[0] ? -1 : 1; // of the gauge: where there is room for it
      const cells = stripAt(run.trace, index, t);
      const key = `${one.look}|${one.label}|${one.suspectedBy}|${one.peers}|${one.queue}|${marked.has(index)}|${side}|${cells}`;
      if (key === part.drawn) return;
      part.drawn = key;
      const look = run.trace.looks[one.look];
      set(part.shape, "d", party.client ? shapePath("s", radius * 0.7) : shapePath(look.shape, radius));
      part.shape.style.fill = party.client ? colours.paper : look.colour;
      part.name.style.fill = party.client || part.outside ? colours.ink : look.text;
      set(part.group, "data-status", one.look);
      const below = one.down ? "crashed" : one.paused ? "paused" : one.label || (one.look === "up" ? "" : look.label);
      say(part.label, roomy && !party.client ? shortened(below, part.room) : "");
      const share = one.peers > 0 ? one.suspectedBy / one.peers : 0;
      set(part.ring, "d", arcPath(Math.min(1, share), radius + 4));
      say(part.doubt, one.suspectedBy > 0 && roomy ? `? ${one.suspectedBy}/${one.peers}` : "");
      set(part.doubt, "y", String(-radius - 9));
      part.group.classList.toggle("dp-marked", marked.has(index));
      drawGauge(part, party, one, side);
      drawStrip(part, cells);
      const words = nodeWords(party.id, one) + stripWords(cells);
      say(part.hover, words);
      set(part.group, "aria-label", words + (marked.has(index) ? ", marked" : ""));
    });
  }

  function hasStrips() {
    return Object.keys(run?.trace.strips ?? {}).length > 0;
  }

  /** A log as cells: term by colour and number, committed ones solid. */
  function drawStrip(part, cells) {
    if (!cells) return;
    const wide = 15 * cells.length;
    const left = { middle: -wide / 2, start: part.words.x, end: part.words.x - wide }[part.words.anchor];
    const top = part.words.y + (part.outside ? LINE : 0) + 6;
    part.strip.replaceChildren(...cells.map(([, term, committed], place) => {
      const [fill, ink] = run.trace.stripColours[(term - 1 + run.trace.stripColours.length) % run.trace.stripColours.length];
      const x = left + 15 * place;
      return makeSvg("g", { class: committed ? "dp-cell dp-committed" : "dp-cell" },
        makeSvg("rect", { x: x + 1, y: top, width: 13, height: 15, style: `stroke:${fill};fill:${committed ? fill : colours.paper}` }),
        makeSvg("text", { x: x + 7.5, y: top + 11.5, text: String(term), style: `fill:${committed ? ink : colours.ink}` }));
    }));
  }

  /** The messages that wait: a dot each, in rows beside the node, and how many of how many. */
  function drawGauge(part, party, one, side) {
    part.gauge.style.display = party.queues ? "" : "none";
    if (!party.queues) return;
    const [dots, text] = part.gauge.children;
    const shown = Math.min(one.queue, MOST_DOTS);
    let path = "";
    for (let place = 0; place < shown; place += 1) {
      const [x, y] = [side * (radius + 11 + 9 * (place % 6)), -6 + 9 * Math.floor(place / 6)];
      path += `M${x - 3.5} ${y}a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0 -7 0`;
    }
    set(dots, "d", path);
    set(text, "x", String(side * (radius + 8)));
    text.style.textAnchor = side < 0 ? "end" : "start";
    set(text, "y", String(shown > 6 ? 20 : 12));
    say(text, `${one.queue} queued`);
  }

  // --- the pointer: a click near a link, a lasso around nodes
  let trail = null;
  const pointOf = (event) => {
    const frame = svg.getBoundingClientRect();
    return [((event.clientX - frame.left) * size[0]) / frame.width, ((event.clientY - frame.top) * size[1]) / frame.height];
  };
  const linkAt = (point) => nearest(point, run.trace.linkKeys.map(([a, b]) => [positions[a], positions[b]]), LINK_REACH);
  const messageAt = ([x, y]) => spots.find((spot) => !spot.row.copy && Math.hypot(spot.x - x, spot.y - y) <= MESSAGE_REACH);
  if (does) {
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      trail = [pointOf(event)];
    });
    svg.addEventListener("pointermove", (event) => {
      const point = pointOf(event);
      if (!trail) {
        const link = event.target.closest(".dp-node") ? -1 : linkAt(point);
        svg.classList.toggle("dp-on-link", link >= 0);
        if (link >= 0) showHint(run.trace.linkKeys[link]);
        return;
      }
      const [x, y] = trail[0];
      if (trail.length === 1 && Math.hypot(point[0] - x, point[1] - y) < LASSO_STARTS) return;
      if (trail.length === 1) {
        svg.setPointerCapture(event.pointerId);
        svg.classList.remove("dp-on-link");
      }
      trail.push(point);
      set(lasso, "points", trail.map((p) => p.join()).join(" "));
    });
    const finish = (event) => {
      const drawn = trail;
      trail = null;
      set(lasso, "points", "");
      if (!drawn || event.type === "pointercancel") return;
      if (drawn.length > 1) {
        does.lasso(caught(drawn, positions).filter((party) => !run.trace.parties[party].client));
        svg.addEventListener("click", (click) => click.stopPropagation(), { capture: true, once: true });
        setTimeout(() => svg.dispatchEvent(new MouseEvent("click")), 0); // use the catcher up if the browser sends no click
      } else if (!event.target.closest(".dp-node")) {
        const message = messageAt(drawn[0]);
        const link = linkAt(drawn[0]);
        if (message) does.message(message.row, drawn[0]);
        else if (link >= 0) does.link(...run.trace.linkKeys[link], drawn[0]);
      }
    };
    svg.addEventListener("pointerup", finish);
    svg.addEventListener("pointercancel", finish);
    svg.addEventListener("pointerleave", () => svg.classList.remove("dp-on-link"));
  }

  function showHint([a, b]) {
    for (const [name, value] of [["x1", positions[a][0]], ["y1", positions[a][1]], ["x2", positions[b][0]], ["y2", positions[b][1]]]) {
      set(hint, name, value.toFixed(1));
    }
  }

  return {
    element, box, setRun, resize, draw,
    setTitle: (text) => { say(caption, text); set(svg, "aria-label", text); },
    setColours: (next) => { colours = next; drawnBands = null; for (const part of parts) part.drawn = ""; },
    setMarked: (next) => { marked = next; },
    stateOf: (party) => state[party],
    nodeElement: (party) => parts[party].group,
    positionOf: (party) => positions[party],
    underWay: () => spots.filter((spot) => !spot.row.copy),
    size: () => size,
  };
}
