// Run with node's own test runner: node --test tests/views_player/player.test.mjs
import assert from "node:assert/strict";
import { test } from "node:test";

const modules = new URL("../../dscourse/views/player/js/", import.meta.url);
const load = (name) => import(new URL(`${name}.mjs`, modules));
const [search, trace, history, messages, lamport, geometry, words, keys, menu, inspector, player, timeline, pace, tasks, lanes] = await Promise.all(
  ["search", "trace", "history", "messages", "lamport", "geometry", "words", "keys", "menu", "inspector", "player", "timeline", "pace", "tasks", "lanes"].map(load),
);

const KINDS = ["send", "deliver", "drop", "timer", "record", "fault", "invoke", "ok", "fail", "unknown"];

/** A trace from rows [time, kind, node, peer, type, text, message]; parties are a, b, c, each linked to each. */
function traceOf(rows, { until = 1000, parties = ["a", "b", "c"], bands = [], marks = [], links = null } = {}) {
  const types = [...new Set(rows.map((row) => row[4]))];
  const texts = ["", ...new Set(rows.map((row) => row[5] ?? "").filter(Boolean))];
  const codes = (place, of) => rows.map((row) => (row[place] === null || row[place] === undefined ? 0xffff : of(row[place])));
  const made = {
    until, kinds: KINDS, types, texts, bands, marks, links, arrivals: [], waiting: [],
    parties: parties.map((id, index) => ({ id, x: index / 2, y: index % 2, client: false })),
    time: Float64Array.from(rows, (row) => row[0]), size: rows.length,
    kind: codes(1, (kind) => KINDS.indexOf(kind)), node: codes(2, (id) => parties.indexOf(id)), peer: codes(3, (id) => parties.indexOf(id)),
    type: codes(4, (type) => types.indexOf(type)), text: rows.map((row) => texts.indexOf(row[5] ?? "")), message: rows.map((row) => row[6] ?? -1),
  };
  made.kindOf = (index) => KINDS[made.kind[index]];
  made.typeOf = (index) => made.types[made.type[index]];
  made.textOf = (index) => made.texts[made.text[index]];
  made.detailOf = (index) => (made.textOf(index) ? JSON.parse(made.textOf(index)) : null);
  made.nameOf = (party) => (party === 0xffff ? "" : parties[party]);
  made.linkKeys = links ?? [[0, 1], [0, 2], [1, 2]];
  return made;
}

const status = (time, node, name, label) => [time, "record", node, null, "status", JSON.stringify({ status: name, label })];
const send = (time, from, to, id, type = "Ping") => [time, "send", from, to, type, `${type}()`, id];
const deliver = (time, at, from, id, type = "Ping") => [time, "deliver", at, from, type, "", id];
const drop = (time, at, from, id, reason, type = "Ping") => [time, "drop", at, from, type, JSON.stringify(reason), id];

/** A generator of pseudo-random numbers in [0, 1), the same in every run. */
function luck(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

test("binary search counts what is before, and what is up to, a moment", () => {
  const sorted = [1, 3, 3, 3, 8];
  assert.equal(search.countUpTo(sorted, 3), 4);
  assert.equal(search.countBefore(sorted, 3), 1);
  assert.equal(search.countUpTo(sorted, 0), 0);
  assert.equal(search.countUpTo(sorted, 9), 5);
  assert.equal(search.countUpTo([], 1), 0);
});

test("stepping goes from moment to moment and stops at the ends", () => {
  const one = traceOf([send(0, "a", "b", 1), send(0, "a", "c", 2), deliver(30, "b", "a", 1), status(40, "b", "leader")]);
  assert.equal(search.nextMoment(one, 0), 30);
  assert.equal(search.nextMoment(one, 35), 40);
  assert.equal(search.nextMoment(one, 40), null);
  assert.equal(search.previousMoment(one, 30), 0);
  assert.equal(search.previousMoment(one, 0), null);
  const changes = (index) => search.JUMPS["change of state"](one, index);
  assert.equal(search.nextMoment(one, 0, changes), 40);
  assert.equal(search.previousMoment(one, 40, changes), null);
  assert.deepEqual(search.jumpsOf(one), ["any event", "change of state", "record", "message sent", "message delivered"]);
});

test("a node shows what it last recorded, and a crash makes it forget", () => {
  const one = traceOf([status(10, "a", "leader", "I lead"), status(50, "a", "follower")], {
    marks: [[20, 0, "paused"], [25, 0, "resumed"], [30, 0, "down"], [40, 0, "up"]],
  });
  const past = history.buildHistory(one);
  const look = (t) => history.clusterAt(past, t)[0].look;
  assert.deepEqual([0, 9, 10, 20, 25, 30, 39, 40, 50].map(look),
    ["up", "up", "leader", "paused", "leader", "crashed", "crashed", "up", "follower"]);
  assert.equal(history.shownAt(past, 0, 15).label, "I lead");
  assert.equal(history.shownAt(past, 0, 45).label, "");
});

test("suspicion counts live observers, and a crashed observer suspects no one", () => {
  const record = (time, node, peer, type) => [time, "record", node, peer, type, JSON.stringify({ peer })];
  const one = traceOf([record(10, "a", "c", "suspect"), record(20, "b", "c", "suspect"), record(25, "b", "c", "suspect"), record(40, "b", "c", "trust")],
    { marks: [[30, 0, "down"]] });
  const past = history.buildHistory(one);
  const share = (t) => { const { suspectedBy, peers } = history.clusterAt(past, t)[2]; return [suspectedBy, peers]; };
  assert.deepEqual([5, 10, 20, 30, 40].map(share), [[0, 2], [1, 2], [2, 2], [1, 1], [0, 1]]);
});

test("a queue grows and shrinks by its marks", () => {
  const past = history.buildHistory(traceOf([], { marks: [[5, 1, 1], [6, 1, 1], [9, 1, -1]] }));
  assert.deepEqual([0, 5, 6, 9].map((t) => history.shownAt(past, 1, t).queue), [0, 1, 2, 1]);
});

test("two parties may talk only if every partition and every cut allows it", () => {
  const bands = [
    { kind: "partition", groups: [[0, 1], [1, 2]], from: 10, to: 20 },
    { kind: "cut", link: [0, 1], oneWay: true, from: 15, to: 20 },
  ];
  const one = traceOf([], { bands });
  const at = (t, a, b) => history.mayTalk(one, history.bandsAt(one, t), a, b);
  assert.equal(at(9, 0, 2), true);
  assert.equal(at(10, 0, 2), false);
  assert.equal(at(10, 0, 1), true); // the bridge hears both
  assert.equal(at(10, 2, 1), true);
  assert.equal(at(15, 0, 1), false);
  assert.equal(at(15, 1, 0), true); // cut one way only
  assert.equal(at(20, 0, 2), true); // [from, to)
});

test("a message is under way from its sending until it arrives", () => {
  const one = traceOf([send(0, "a", "b", 1), send(10, "b", "c", 2), deliver(100, "b", "a", 1), drop(110, "c", "b", 2, "crashed")]);
  const list = messages.buildMessages(one);
  assert.deepEqual(messages.messagesBetween(list, 50, 50), [0, 1]);
  assert.deepEqual(messages.messagesBetween(list, 0, 0), [0]);
  assert.deepEqual(messages.messagesBetween(list, 100, 100), [1]); // arrived: gone
  assert.deepEqual(messages.progress(list, list.rows[0], 25), { part: 0.25, fading: 1 });
  const fading = messages.progress(list, list.rows[1], 110 + list.fade / 2);
  assert.equal(fading.fading, 0.5);
  assert.equal(list.rows[1].reason, "crashed");
  assert.deepEqual(messages.messagesBetween(list, 110 + list.fade, 500), []);
});

test("a copy made by the network travels on its own", () => {
  const one = traceOf([send(0, "a", "b", 1), deliver(10, "b", "a", 1), deliver(30, "b", "a", 1)]);
  const list = messages.buildMessages(one);
  assert.deepEqual(list.rows.map((row) => [row.end, row.copy]), [[10, false], [30, true]]);
});

test("a message without an end is still under way when the run ends", () => {
  const list = messages.buildMessages(traceOf([send(900, "a", "b", 1)]));
  assert.equal(list.rows[0].end, Infinity);
  assert.deepEqual(messages.messagesBetween(list, 1000, 1000), [0]);
  assert.ok(messages.progress(list, list.rows[0], 1e9).part <= 0.9);
});

test("the checkpoints find the same messages as looking at all of them", () => {
  const random = luck(7);
  const rows = [];
  for (let id = 0; id < 2000; id += 1) {
    const sent = Math.floor(random() * 1e5);
    rows.push(send(sent, "a", "b", id));
    const end = sent + Math.floor(random() ** 4 * 2e4);
    if (random() < 0.8) rows.push(deliver(end, "b", "a", id));
    else if (random() < 0.8) rows.push(drop(end, "b", "a", id, "lost"));
  }
  rows.sort((one, other) => one[0] - other[0] || (one[1] === "send" ? -1 : 1));
  const list = messages.buildMessages(traceOf(rows, { until: 1e5 }));
  for (let turn = 0; turn < 200; turn += 1) {
    const from = Math.floor(random() * 1e5);
    const to = from + (turn % 2 ? 0 : Math.floor(random() * 5000));
    const all = list.rows.map((row, index) => [row, index])
      .filter(([row]) => row.sent <= to && (row.reason === null ? row.end : row.end + list.fade) > from).map(([, index]) => index);
    assert.deepEqual(messages.messagesBetween(list, from, to), all);
  }
});

test("types that are sent like clockwork are told from the others", () => {
  const rows = [];
  for (let beat = 0; beat < 8; beat += 1) {
    rows.push(send(100 * beat, "a", "b", 100 + beat, "Heartbeat"), send(100 * beat, "a", "c", 200 + beat, "Heartbeat"));
    rows.push(send(100 * beat + 13 * beat * beat, "b", "c", 300 + beat, "Write"));
  }
  rows.sort((one, other) => one[0] - other[0]);
  const one = traceOf(rows);
  assert.deepEqual([...lamport.periodicTypes(one)].map((type) => one.types[type]), ["Heartbeat"]);
  assert.equal(player.foldsAtFirst([0, 1], new Set([0])), true);
  assert.equal(player.foldsAtFirst([0], new Set([0])), false); // or nothing would be left to see
});

test("the causal past holds what can have had an influence, and nothing else", () => {
  const one = traceOf([
    send(0, "a", "b", 1), // 0
    send(1, "c", "a", 2), // 1: arrives only after a has sent
    deliver(5, "b", "a", 1), // 2
    deliver(6, "a", "c", 2), // 3
    status(7, "b", "leader"), // 4
    send(8, "b", "c", 3), // 5
    deliver(9, "c", "b", 3), // 6
  ]);
  const list = messages.buildMessages(one);
  const past = (index) => [...lamport.causalPast(one, list, index)].map((flag, event) => (flag ? event : -1)).filter((event) => event >= 0);
  assert.deepEqual(past(4), [0, 2, 4]);
  assert.deepEqual(past(6), [0, 1, 2, 4, 5, 6]);
  assert.deepEqual(past(0), [0]);
});

test("the diagram shows a window, hides what is filtered and shortens what is collapsed", () => {
  const one = traceOf([send(0, "a", "b", 1), deliver(50, "b", "a", 1), send(100, "a", "c", 2, "Beat"), deliver(150, "c", "a", 2, "Beat"),
    send(400, "a", "b", 3), deliver(450, "b", "a", 3), status(120, "b", "leader")].sort((x, y) => x[0] - y[0]));
  const list = messages.buildMessages(one);
  const view = { from: 0, to: 200, width: 264, rowHeight: 20, left: 64, top: 10, nodes: [0, 1, 2], hiddenTypes: new Set(), foldedTypes: new Set() };
  const all = lamport.layoutDiagram(one, list, view);
  assert.deepEqual(all.lines.map((line) => [line.x1, line.y1, line.x2, line.y2]), [[64, 10, 114, 30], [164, 10, 214, 50]]);
  assert.equal(all.dots.length, 1);
  const beat = one.types.indexOf("Beat");
  assert.equal(lamport.layoutDiagram(one, list, { ...view, hiddenTypes: new Set([beat]) }).lines.length, 1);
  assert.deepEqual(lamport.layoutDiagram(one, list, { ...view, foldedTypes: new Set([beat]) }).lines.map((line) => line.folded), [false, true]);
  assert.equal(lamport.layoutDiagram(one, list, { ...view, nodes: [0, 2] }).lines.length, 1); // b is hidden, and all that it takes part in
});

test("the page turns when the cursor leaves it, and not before", () => {
  const first = lamport.turnPage(null, 100, 0, 1000);
  assert.deepEqual(first, { from: 0, to: 100 });
  assert.equal(lamport.turnPage(first, 100, 60, 1000), first);
  const second = lamport.turnPage(first, 100, 95, 1000);
  assert.deepEqual(second, { from: 65, to: 165 });
  assert.deepEqual(lamport.turnPage(second, 100, 1000, 1000), { from: 900, to: 1000 });
  for (const t of [0, 3, 500, 999, 1000]) {
    const page = lamport.turnPage({ from: 300, to: 400 }, 100, t, 1000);
    assert.ok(page.from >= 0 && page.to <= 1000 && page.from <= t && t <= page.to);
  }
  assert.deepEqual(lamport.turnPage(null, 1000, 400, 1000), { from: 0, to: 1000 });
});

test("a circle of nodes stays about as round as the picture allows, two data centres may lie far apart", () => {
  const pentagon = [[0.5, 0], [1, 0.382], [0.809, 1], [0.191, 1], [0, 0.382]].map(([x, y]) => ({ x, y }));
  const wide = (places) => Math.max(...places.map(([x]) => x)) - Math.min(...places.map(([x]) => x));
  assert.equal(Math.round(wide(geometry.placeParties(pentagon, 1000, 260, 50))), 288); // 1.8 times 160
  const centres = [[0, 0], [0, 1], [0.2, 0.5], [0.8, 0.5], [1, 0], [1, 1]].map(([x, y]) => ({ x, y }));
  assert.equal(Math.round(wide(geometry.placeParties(centres, 1000, 260, 50))), 560); // 3.5 times 160
  for (const [x, y] of geometry.placeParties(pentagon, 200, 260, 50)) assert.ok(x >= 49 && x <= 151 && y >= 50 && y <= 210);
});

test("the lasso catches what lies inside, also in a bay", () => {
  const bay = [[0, 0], [10, 0], [10, 10], [6, 10], [6, 4], [4, 4], [4, 10], [0, 10]];
  assert.deepEqual(geometry.caught(bay, [[2, 8], [5, 8], [8, 8], [12, 5], [5, 2]]), [0, 2, 4]);
  assert.deepEqual(geometry.caught([[0, 0], [5, 5]], [[2, 2]]), []);
});

test("the nearest link within reach is found", () => {
  const links = [[[0, 0], [100, 0]], [[0, 50], [100, 50]]];
  assert.equal(geometry.nearest([50, 9], links, 12), 0);
  assert.equal(geometry.nearest([50, 41], links, 12), 1);
  assert.equal(geometry.nearest([50, 25], links, 12), -1);
  assert.equal(geometry.nearest([115, 0], links, 12), -1); // beyond the end
});

test("the outline goes around all points", () => {
  const outline = geometry.hull([[0, 0], [4, 0], [2, 1], [4, 4], [0, 4], [2, 2]]);
  assert.deepEqual(outline.map((point) => point.join()).sort(), ["0,0", "0,4", "4,0", "4,4"]);
  assert.equal(geometry.hull([[1, 1]]).length, 1);
});

test("stamps are printed where they lie inside, and only their ink", () => {
  const red = 0xff0000ff;
  const ink = geometry.inkOf(Uint32Array.from([0, red, red, 0x10ffffff]), 2, 5); // a stamp of 2 × 2 pixels in a picture 5 wide
  assert.deepEqual(ink, [[1, red], [5, red]]);
  const pixels = new Uint32Array(15);
  geometry.printAll(pixels, 5, 3, ink, 2, [[1, 0], [4, 0], [-1, 1], [0, 2], [3.2, 0.9]]);
  assert.deepEqual([...pixels].flatMap((pixel, place) => (pixel === red ? [place] : [])), [2, 6, 9, 13]);
});

test("axis ticks are round and lie inside", () => {
  assert.deepEqual(geometry.axisTicks(0, 8e6, 8), [0, 1e6, 2e6, 3e6, 4e6, 5e6, 6e6, 7e6, 8e6]);
  assert.deepEqual(geometry.axisTicks(1.25e6, 1.75e6, 3), [1.4e6, 1.6e6]);
});

test("bands that overlap stand in different lanes", () => {
  const { lanes, count } = timeline.lanesOf([{ from: 0, to: 10 }, { from: 5, to: 8 }, { from: 10, to: 12 }, { from: 11, to: 20 }]);
  assert.deepEqual([lanes, count], [[0, 1, 0, 1], 2]);
});

test("keys mean what the help says, and leave the controls their own", () => {
  const of = (key, place, more = {}) => keys.commandFor({ key, ...more }, place);
  assert.equal(of(" "), "toggle");
  assert.equal(of("ArrowRight"), "next");
  assert.equal(of("ArrowRight", "root", { shiftKey: true }), "nextOfKind");
  assert.equal(of("M"), "mark");
  assert.equal(of(" ", "button"), null);
  assert.equal(of("Enter", "button"), null);
  assert.equal(of("ArrowRight", "button"), "next");
  assert.equal(of("ArrowDown", "choice"), null);
  assert.equal(of("ArrowDown", "menu"), null);
  assert.equal(of("Enter", "node"), "menu");
  assert.equal(of(" ", "node"), "menu");
  assert.equal(of("u", "root", { ctrlKey: true }), null); // the browser's and Jupyter's own
  assert.equal(of("Tab"), null);
  assert.equal(of("a"), null); // would insert a cell in Jupyter; here it does nothing, and the widget lets nothing through
});

test("a menu offers what makes sense in the state", () => {
  const does = (acts) => acts.map(([, act]) => act.do);
  assert.deepEqual(does(menu.nodeActs("a", { down: true, paused: false })), ["restart"]);
  assert.deepEqual(does(menu.nodeActs("a", { down: false, paused: true })), ["crash", "resume", "slow"]);
  assert.deepEqual(does(menu.nodeActs("a", { down: false, paused: false })), ["crash", "pause", "slow"]);
  assert.deepEqual(does(menu.nodeActs("a", { down: false, paused: false }, true)), ["crash", "pause", "full speed"]);
  assert.deepEqual(menu.nodeActs("a", { down: false, paused: true }, true)[2], ["Back to full speed", { do: "full speed", node: "a" }]);
  assert.deepEqual(does(menu.markedActs(["a"], 3)), ["partition"]);
  assert.deepEqual(does(menu.markedActs(["a", "b"], 3)), ["partition"]); // no link between them
  assert.deepEqual(does(menu.markedActs(["a", "b"], 3, { open: true, parted: false })), ["partition", "cut"]);
  assert.deepEqual(menu.markedActs(["a", "b"], 3, { open: false, parted: false })[1][1], { do: "heal", a: "a", b: "b" });
  assert.deepEqual(menu.markedActs(["a", "b"], 3, { open: false, parted: true })[1][1], { do: "heal" }); // a partition heals as a whole
  assert.deepEqual(does(menu.markedActs(["a", "b", "c"], 3)), []); // all of them: there is no rest
});

test("a moment is told in words, the most telling first", () => {
  const one = traceOf([send(0, "a", "b", 1), send(0, "a", "c", 2), status(0, "a", "leader", "I lead"), deliver(20, "b", "a", 1), drop(30, "c", "a", 2, "cut")]);
  assert.equal(words.cursorWords(one, 0), "0.00 s: a is now leader (I lead); a sends Ping to b and c.");
  assert.equal(words.cursorWords(one, 25), "0.000025 s. Last, at 0.00002 s: b receives Ping from a.");
  assert.equal(words.cursorWords(one, 30), "0.00003 s: Ping a → c is dropped (cut).");
  assert.equal(words.seconds(3000000), "3.00 s");
  assert.equal(words.seconds(3120500), "3.1205 s");
});

test("two runs part at the first event that differs", () => {
  const one = traceOf([send(0, "a", "b", 1), deliver(20, "b", "a", 1)]);
  const other = traceOf([send(0, "a", "b", 1), drop(20, "b", "a", 1, "cut")]);
  assert.equal(trace.firstDifference(one, one), null);
  assert.deepEqual(trace.firstDifference(one, other), { index: 1, time: 20 });
  assert.deepEqual(trace.firstDifference(one, traceOf([send(0, "a", "b", 1)])), { index: 1, time: 20 });
  assert.deepEqual(trace.firstDifference(one, traceOf([send(0, "a", "c", 1), deliver(20, "b", "a", 1)])), { index: 0, time: 0 });
});

test("the speed fits the run to about twenty seconds", () => {
  assert.equal(pace.fittingSpeed(8e6), 0.5);
  assert.equal(pace.fittingSpeed(60e6), 2);
  assert.equal(pace.fittingSpeed(0.3e6), 0.02);
});

test("of a large cluster the inspector shows the nodes that matter", () => {
  const many = Array.from({ length: 50 }, (_, index) => `n${index}`);
  assert.equal(inspector.chosenNodes(many.slice(0, 5), [], []).length, 5);
  assert.deepEqual(inspector.chosenNodes(many, ["n30"], ["n4"]), ["n4", "n30"]);
  assert.equal(inspector.chosenNodes(many, [], []).length, 12);
});

test("a word is written only where it covers no other", () => {
  const written = [[10, 10, 20, 14]];
  assert.equal(geometry.fits([], [0, 0, 5, 5]), true);
  for (const apart of [[30, 10, 20, 14], [10, 24, 20, 14], [-10, 10, 20, 14], [10, -4, 20, 14]]) assert.equal(geometry.fits(written, apart), true);
  for (const over of [[29, 10, 20, 14], [10, 23, 20, 14], [15, 12, 2, 2], [0, 0, 90, 90], [-9, 10, 20, 14]]) assert.equal(geometry.fits(written, over), false);
});

test("words stand beside the nodes of a crowded circle, at the outer side, and names that are too long stand outside", () => {
  const circle = (count) => Array.from({ length: count }, (_, index) => {
    const angle = (2 * Math.PI * index) / count;
    return { x: 0.5 + 0.5 * Math.sin(angle), y: 0.5 - 0.5 * Math.cos(angle) };
  });
  assert.ok(geometry.onCircle(circle(12)) && !geometry.onCircle([{ x: 0.5, y: 0.5 }, ...circle(3)]));
  const boxes = (count, height, r, sideMargin, beside) => {
    const places = geometry.placeParties(circle(count), 700, height, r + 30, sideMargin);
    return circle(count).map((party, index) => {
      const { x, y, anchor } = geometry.placeWords(party, r, beside);
      const left = places[index][0] + x - { start: 0, middle: 36, end: 72 }[anchor]; // words of 72 by 12 pixels
      return { left, right: left + 72, top: places[index][1] + y - 10, bottom: places[index][1] + y + 2, place: places[index] };
    });
  };
  const hits = (list, r) => list.flatMap((one, i) => list.filter((other, j) => i !== j && (
    (one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom)
    || (one.left < other.place[0] + r && other.place[0] - r < one.right && one.top < other.place[1] + r && other.place[1] - r < one.bottom)))).length;
  assert.ok(hits(boxes(12, 260, 17, 47, false), 17) > 0); // below the nodes, they would run into each other
  for (const [count, height, r] of [[8, 260, 20], [9, 340, 17], [12, 340, 17], [16, 340, 17]]) {
    const placed = boxes(count, height, r, r + 85, true);
    assert.equal(hits(placed, r), 0, `${count} nodes`);
    assert.ok(placed.every(({ left, right, bottom }) => left >= 0 && right <= 700 && bottom <= height), `${count} nodes`);
  }
  assert.ok(geometry.nameFits("n11", 17) && !geometry.nameFits("frankfurt-1", 20));
});

test("words beside a node never leave the picture", () => {
  const right = { x: 27, y: 5, anchor: "start" };
  const left = { x: -27, y: 5, anchor: "end" };
  assert.equal(geometry.roomFor(right, 300, 400), 73);
  assert.equal(geometry.roomFor(left, 100, 400), 73);
  assert.equal(geometry.roomFor({ x: 0, y: 37, anchor: "middle" }, 5, 400), Infinity);
  assert.equal(geometry.shortened("n5 suspect", 75), "n5 suspect");
  assert.equal(geometry.shortened("n5 suspect, n7 suspect", 75), "n5 suspec…");
  assert.equal(geometry.shortened("n5 suspect", 30), "n5…");
  assert.equal(geometry.shortened("up", Infinity), "up");
});

test("the line tells what changed before it tells of heartbeats", () => {
  const one = traceOf([status(10, "a", "leader", "I lead"), send(50, "a", "b", 1, "Beat"), deliver(70, "b", "a", 1, "Beat")]);
  const telling = words.tellingEvents(one, new Set([one.types.indexOf("Beat")]));
  assert.deepEqual([...telling], [0, 0, 0]);
  one.places = 5;
  assert.equal(words.cursorWords(one, 70, telling), "0.00007 s. Last change, at 0.00001 s: a is now leader (I lead). Now: b receives Beat from a.");
  assert.equal(words.cursorWords(one, 10, telling), "0.00001 s: a is now leader (I lead).");
});

test("times have the digits that matter", () => {
  assert.deepEqual([110_000, 5_000, 200, 2_000_000].map(words.placesFor), [3, 4, 5, 3]);
  assert.equal(words.seconds(1_234_567, 3), "1.235 s");
  assert.equal(words.seconds(2_000_000, 3), "2.00 s");
});

test("by events a short message can be seen, and time flies where nothing happens", () => {
  const one = traceOf([send(3_000_000, "a", "b", 1), deliver(3_005_000, "b", "a", 1)], { until: 12e6 });
  const run = { trace: one, messages: messages.buildMessages(one), hiddenTypes: new Set() };
  assert.equal(pace.fittingPace(one, run.messages), pace.BY_EVENTS);
  let frames = 0;
  let seen = 0;
  for (let t = 0; t < one.until; t = pace.advance(run, t, 1000 / 60, pace.BY_EVENTS)) {
    frames += 1;
    if (t >= 3_000_000 && t < 3_005_000) seen += 1;
  }
  assert.ok(seen > 15 && seen < 24, `${seen} frames`);
  assert.ok(frames - seen < 60, `${frames} frames`);
  assert.equal(pace.advance(run, 0, 100, 0.5), 50_000);
});

test("thousands of messages are not played one by one", () => {
  const events = Array.from({ length: 3001 }, (_, k) => [send(2000 * k, "a", "b", k + 1), deliver(2000 * k + 1000, "b", "a", k + 1)]).flat();
  const [few, many] = [6000, 6002].map((count) => traceOf(events.slice(0, count), { until: 12e6 }));
  assert.equal(pace.fittingPace(few, messages.buildMessages(few)), pace.BY_EVENTS);
  assert.equal(pace.fittingPace(many, messages.buildMessages(many)), 0.5);
});

test("a slow message needs no other pace", () => {
  const one = traceOf([send(0, "a", "b", 1), deliver(110_000, "b", "a", 1)], { until: 8e6 });
  assert.equal(pace.fittingPace(one, messages.buildMessages(one)), 0.5);
});

test("visits tick in order, also of what lies between two frames", () => {
  const ticked = [];
  const visit = tasks.visitsOf((name) => ticked.push(name));
  const list = [{ name: "there and back", done: false, visits: [[50, 60], [0, 10]] }, { name: "done", done: true, visits: [[0, 100]] }];
  visit(list, 5, 5);
  visit(list, 40, 70); // playing, over all of the first
  assert.deepEqual(ticked, []);
  visit(list, 10, 10);
  assert.deepEqual(ticked, []); // [0, 10)
  visit(list, 9, 9);
  visit(list, 9, 9);
  assert.deepEqual(ticked, ["there and back"]);
});

test("lanes are as high as there is room, and tell their value", () => {
  assert.deepEqual([1, 3, 5].map(lanes.laneHeight), [50, 50, 30]);
  const lane = { points: [[10, 1], [20, null], [30, 4]] };
  assert.deepEqual([5, 10, 19, 20, 99].map((t) => lanes.laneAt(lane, t)), [null, 1, 1, null, 4]);
});

test("of a lost message in a mystery nobody hears: it is gone half-way, whatever became of it", () => {
  const list = messages.buildMessages({ ...traceOf([send(0, "a", "b", 1), deliver(100, "b", "a", 1), send(200, "a", "b", 2)]), untold: [2] });
  assert.deepEqual([list.rows[1].reason, list.rows[1].end], ["?", 300]);
  assert.equal(messages.progress(list, list.rows[1], 250).part, 0.25);
  assert.equal(messages.progress(list, list.rows[1], 300).part, 0.5);
  assert.equal(words.messageWords({ ...traceOf([send(200, "a", "b", 2)]) }, { ...list.rows[1], sendEvent: 0 }), "Ping(), a → b, sent at 0.0002 s, never arrives");
});

test("a message is counted on its link, copies and other links apart", () => {
  const list = messages.buildMessages(traceOf([send(0, "a", "b", 1), deliver(10, "b", "a", 1), deliver(12, "b", "a", 1), send(20, "b", "a", 2), send(30, "a", "b", 3)]));
  assert.deepEqual(list.rows.filter((row) => !row.copy).map((row) => messages.numberOf(list, row)), [1, 1, 2]);
});

test("what runs a cell is left to the notebook", () => {
  assert.equal(keys.commandFor({ key: "Enter", shiftKey: true }), null);
  assert.equal(keys.belongsToNotebook({ key: "Enter", ctrlKey: true }), true);
  assert.equal(keys.belongsToNotebook({ key: "Enter" }), false);
});

test("of a link and of all links the menu offers loss, and its end", () => {
  const does = (acts) => acts.map(([, act]) => [act.do, act.a ?? "all"]);
  assert.deepEqual(does(menu.weatherActs("a", "b", {})), [["lossy", "a"], ["slow", "a"], ["lossy", "all"]]);
  assert.deepEqual(does(menu.weatherActs("a", "b", { lossy: true, slow: true, allLossy: true })), [["no loss", "a"], ["full speed", "a"], ["no loss", "all"]]);
  assert.equal(menu.nodeActs("a", {}, false, { secret: true }).length, 5); // nothing may tell its state
});
