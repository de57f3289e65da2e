// Inside the nodes: public fields at the cursor. Python answers when the cursor has come to rest; scrubbing never waits for it.

import { make, say } from "./dom.mjs";
import { seconds } from "./words.mjs";

const REST = 180; // ms that the cursor must stand still before Python is asked

/** Which nodes to show: all of a small cluster; of a large one those that are marked or have just changed, at most `most`. */
export function chosenNodes(names, marked, changed, most = 12) {
  if (names.length <= most) return names;
  const wanted = names.filter((name) => marked.includes(name) || changed.includes(name));
  return (wanted.length > 0 ? wanted : names).slice(0, most);
}

/** `ask(t)` requests the fields at a moment. */
export function inspectorView(ask) {
  const title = make("h4", { text: "Inside the nodes" });
  const body = make("div", { class: "dp-fields" });
  const element = make("section", { class: "dp-inspector", hidden: true, tabindex: "0", "aria-label": "inside the nodes" }, title, body);
  let timer = null;
  let asked = null;

  /** Ask for the fields at `t` once the cursor rests; `again` even if it is where it was. */
  function request(t, again = false) {
    if (element.hidden || (t === asked && !again)) return;
    asked = t;
    body.classList.add("dp-old");
    clearTimeout(timer);
    timer = setTimeout(() => ask(t), REST);
  }

  function show(answer, names, marked) {
    if (!answer || answer.time !== asked) return;
    body.classList.remove("dp-old");
    say(title, `Inside the nodes at ${seconds(answer.time)}`);
    const changed = Object.keys(answer.changed);
    const shown = chosenNodes(names, marked, changed);
    const blocks = shown.map((name) => nodeBlock(name, answer.nodes[name], answer.changed[name] ?? {}));
    const rest = names.length - shown.length;
    if (rest > 0) blocks.push(make("p", { class: "dp-hint", text: `${rest} more nodes; mark those that you want to see.` }));
    body.replaceChildren(...blocks);
  }

  return {
    element, request, show,
    toggle: (t) => {
      element.hidden = !element.hidden;
      if (element.hidden) clearTimeout(timer);
      else request(t, true);
      return !element.hidden;
    },
    stop: () => clearTimeout(timer),
  };
}

function nodeBlock(name, fields, changed) {
  const block = make("div", { class: "dp-node-fields" }, make("strong", { text: name }));
  if (!fields) {
    block.append(make("p", { class: "dp-hint", text: "crashed: its memory is gone" }));
    return block;
  }
  const rows = Object.entries(fields).map(([field, value]) => {
    const cell = make("td", {}, make("span", { text: value }));
    const isNew = field in changed;
    if (isNew) cell.append(make("span", { class: "dp-was", text: changed[field] === null ? " new" : ` was ${changed[field]}` }));
    return make("tr", { class: isNew ? "dp-changed" : "" }, make("th", { scope: "row", text: field }), cell);
  });
  if (rows.length === 0) block.append(make("p", { class: "dp-hint", text: "no public fields" }));
  else block.append(make("table", {}, make("tbody", {}, ...rows)));
  return block;
}
