// node peek.mjs PAYLOAD t1,t2,… e1,e2,…: what the player's JavaScript makes of a run, as JSON, for comparison with the kernel.
import { readFileSync } from "node:fs";

const modules = new URL("../../dscourse/views/player/js/", import.meta.url);
const load = (name) => import(new URL(`${name}.mjs`, modules));
const [{ inflate }, { prepareRun }, { bandsAt, clusterAt, mayTalk }, { messagesBetween, progress }, { causalPast }, { cursorWords }] =
  await Promise.all(["trace", "player", "history", "messages", "lamport", "words"].map(load));

const [file, moments, events] = process.argv.slice(2);
const numbers = (text) => (text ? text.split(",").map(Number) : []);
const run = prepareRun(await inflate(readFileSync(file)));
const { trace, history, messages } = run;
const name = (party) => trace.nameOf(party);

const seen = numbers(moments).map((t) => {
  const bands = bandsAt(trace, t);
  const state = clusterAt(history, t);
  return {
    nodes: Object.fromEntries(state.map((one, party) => [name(party), one]).filter((_, party) => !trace.parties[party].client)),
    flights: messagesBetween(messages, t, t).map((row) => messages.rows[row]).filter((row) => row.end > t)
      .map((row) => [name(row.from), name(row.to), row.sent, trace.types[row.type], progress(messages, row, t).part]),
    cut: trace.linkKeys.flatMap(([a, b]) => [[a, b], [b, a]]).filter(([a, b]) => !mayTalk(trace, bands, a, b)).map(([a, b]) => [name(a), name(b)]),
    bands: bands.map((band) => band.label),
    words: cursorWords(trace, t),
  };
});
const causes = numbers(events).map((event) => [...causalPast(trace, messages, event)].flatMap((flag, index) => (flag ? [index] : [])));
const rows = Array.from({ length: trace.size }, (_, index) => [trace.time[index], trace.kindOf(index), name(trace.node[index]), name(trace.peer[index]), trace.typeOf(index)]);
process.stdout.write(JSON.stringify({ seen, causes, rows, parties: trace.parties, links: trace.linkKeys, texts: trace.texts }));
