// Which key does what. Left and right move through time wherever the focus is; up and down move from node to node.

export const KEYS = [
  ["Space, K", "play or pause"],
  ["← →", "previous, next event"],
  ["Shift + ← →", "previous, next event of the chosen kind"],
  ["Page up / down", "a tenth of the run back, on"],
  ["Home / End", "begin, end"],
  [", .", "slower, faster"],
  ["↑ ↓", "from node to node"],
  ["Enter, Space", "menu of the node that has the focus"],
  ["M", "mark the node (for a partition or a cut)"],
  ["P", "cut the marked nodes off from the rest"],
  ["X", "cut (or heal) the link between two marked nodes"],
  ["H", "heal every cut"],
  ["U", "undo the last fault"],
  ["Y", "copy as code"],
  ["G", "menu of a message under way, then of the next"],
  ["D", "space-time diagram"],
  ["W", "the whole run, or only what has been played"],
  ["C", "causal past of the event at the cursor"],
  ["+ −", "zoom the diagram"],
  ["Esc", "close, unmark"],
  ["?", "this list"],
];

const PLAIN = {
  " ": "toggle", k: "toggle", ArrowRight: "next", ArrowLeft: "previous", PageDown: "on", PageUp: "back", Home: "begin", End: "end",
  ",": "slower", ".": "faster", ArrowDown: "nextNode", ArrowUp: "previousNode", Enter: "menu", m: "mark", p: "partition",
  x: "cut", h: "heal", u: "undo", y: "copy", c: "causes", g: "message", d: "diagram", w: "whole", "+": "zoomIn", "=": "zoomIn", "-": "zoomOut", Escape: "escape",
  "?": "help",
};

/** Does a key press run the cell or insert one, so that it belongs to the notebook? */
export function belongsToNotebook({ key, shiftKey = false, ctrlKey = false, metaKey = false, altKey = false }) {
  return key === "Enter" && (shiftKey || ctrlKey || metaKey || altKey);
}

/**
 * The command for a key press, or null if the key is not ours. `place` is where the focus is: "button" and "choice" keep the keys
 * that they need themselves, "text" and "menu" keep all.
 */
export function commandFor({ key, shiftKey = false, ctrlKey = false, metaKey = false, altKey = false }, place = "root") {
  if (belongsToNotebook({ key, shiftKey }) || ctrlKey || metaKey || altKey || place === "text" || place === "menu") return null;
  if (place === "choice" && key !== "Escape") return null;
  if (place === "button" && (key === " " || key === "Enter")) return null;
  if (place === "node" && key === " ") return "menu";
  if (shiftKey && key === "ArrowRight") return "nextOfKind";
  if (shiftKey && key === "ArrowLeft") return "previousOfKind";
  const plain = key.length === 1 ? key.toLowerCase() : key;
  return PLAIN[plain] ?? null;
}
