// A menu that opens beside what was clicked: arrow keys move, Enter chooses, Escape closes and gives the focus back.

import { make } from "./dom.mjs";

/**
 * The acts that make sense for a node in a state, `slow` or not: [label, what to do]. `more`: { lies: behaviours that it may be
 * given, secret: its state may not be what it seems }.
 */
export function nodeActs(name, state, slow = false, { lies = [], secret = false } = {}) {
  if (secret) {
    return [["Crash", { do: "crash", node: name }], ["Restart", { do: "restart", node: name }], ["Pause", { do: "pause", node: name }],
      ["Resume", { do: "resume", node: name }], ["Slow down ×10", { do: "slow", node: name }], ...(slow ? [["Back to full speed", { do: "full speed", node: name }]] : [])];
  }
  if (state.down) return [["Restart", { do: "restart", node: name }]];
  const acts = [["Crash", { do: "crash", node: name }]];
  acts.push(state.paused ? ["Resume", { do: "resume", node: name }] : ["Pause", { do: "pause", node: name }]);
  acts.push(slow ? ["Back to full speed", { do: "full speed", node: name }] : ["Slow down ×10", { do: "slow", node: name }]);
  return [...acts, ...lies.map((text, number) => [`Byzantine: ${text}`, { do: "lie", node: name, number }])];
}

/** The acts that make sense for a link: `open` if it carries messages both ways, `parted` if a partition stands in its way. */
export function linkActs(a, b, open, parted = false) {
  if (open) return [["Cut this link", { do: "cut", a, b }]];
  return parted ? [["Heal every cut", { do: "heal" }]] : [["Heal this link", { do: "heal", a, b }]];
}

/** What can be done to the weather on a link, and on all: `now` has what is in force: { lossy, slow, allLossy }. */
export function weatherActs(a, b, now) {
  return [
    now.lossy ? ["Lose no more here", { do: "no loss", a, b }] : ["Lose half of its messages", { do: "lossy", a, b }],
    now.slow ? ["Back to full speed", { do: "full speed", a, b }] : ["Slow it down ×10", { do: "slow", a, b }],
    now.allLossy ? ["Lose no more on all links", { do: "no loss" }] : ["Lose half on all links", { do: "lossy" }],
  ];
}

/** What can befall one message, the `number`-th from `a` to `b`; `by`: how late (seconds). */
export function messageActs(a, b, number, by) {
  const one = { a, b, number };
  return [["Lose this message", { do: "lose", ...one }], ["Deliver it twice", { do: "repeat", ...one }], [`Deliver it ${by} s late`, { do: "delay", ...one, by }]];
}

/** The acts that make sense for marked nodes: `names`, of `all` nodes; `link`: of two that are linked, { open, parted }. */
export function markedActs(names, all, link = null) {
  const acts = [];
  if (names.length > 0 && names.length < all) acts.push(["Partition from the rest", { do: "partition", nodes: names }]);
  if (names.length === 2 && link) {
    acts.push(...linkActs(names[0], names[1], link.open, link.parted).map(([label, act]) => [label.replace("this", "their"), act]));
  }
  return acts;
}

/** A menu inside `host`; `choose(act)` is called with the second part of the chosen item. */
export function popupMenu(host, choose) {
  const list = make("div", { class: "dp-menu", role: "menu", hidden: true });
  let giveBack = null;
  host.append(list);

  function open(title, items, [x, y], returnTo) {
    giveBack = returnTo;
    list.setAttribute("aria-label", title);
    const buttons = items.map(([label, act]) =>
      make("button", { type: "button", role: "menuitem", tabindex: "-1", text: label, click: () => { close(); choose(act); } }));
    list.replaceChildren(make("div", { class: "dp-menu-title", text: title }), ...buttons);
    list.hidden = false;
    const left = Math.max(0, Math.min(x, host.clientWidth - list.offsetWidth - 2));
    const top = Math.max(0, Math.min(y, Math.max(host.clientHeight, 60) - list.offsetHeight - 2));
    list.style.left = `${left}px`;
    list.style.top = `${top}px`;
    buttons[0]?.focus({ preventScroll: true });
  }

  function close() {
    if (list.hidden) return;
    list.hidden = true;
    giveBack?.focus({ preventScroll: true });
  }

  list.addEventListener("keydown", (event) => {
    const buttons = [...list.querySelectorAll("button")];
    const at = buttons.indexOf(list.ownerDocument.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (to !== undefined) buttons[(to + buttons.length) % buttons.length].focus();
    else if (event.key === "Escape" || event.key === "Tab") close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  list.addEventListener("focusout", (event) => {
    if (!list.contains(event.relatedTarget) && event.relatedTarget) list.hidden = true;
  });
  host.addEventListener("pointerdown", (event) => {
    if (!list.contains(event.target)) list.hidden = true;
  });
  return { open, close, isOpen: () => !list.hidden };
}
