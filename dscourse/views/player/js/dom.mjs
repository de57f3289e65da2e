// The few things that every part of the page needs. Text goes in as text, never as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element: attributes by name, `text`, event handlers as functions; children are elements. */
export function make(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function makeSvg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

/** A push button with a label for the eye and, if it differs, one for the ear. */
export function button(text, press, { label = null, title = null, className = "" } = {}) {
  return make("button", { type: "button", class: className, text, "aria-label": label, title: title ?? label, click: press });
}

/** Fit a canvas to its box at the screen's own resolution; returns { context, width, height } in CSS pixels. */
export function fitCanvas(canvas, width, height) {
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [Math.max(1, Math.round(width * scale)), Math.max(1, Math.round(height * scale))];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** The theme's colours, as CSS says them at the moment. */
export function readColours(root) {
  const style = getComputedStyle(root);
  const named = (name) => style.getPropertyValue(`--dp-${name}`).trim();
  return { ink: named("ink"), quiet: named("quiet"), line: named("line"), paper: named("paper"), alarm: named("alarm"), accent: named("accent"), dark: named("dark") === "yes" };
}

/** Set an attribute only if it changes: most frames change nothing. */
export function set(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Set text only if it changes. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Marks for message types: colour by place in the palette, shape by place in this list. */
export const MESSAGE_SHAPES = ["o", "s", "^", "D", "v", "P", "*", "p"];

/** Draw a closed shape on a canvas. */
export function traceShape(context, points, x, y, r) {
  if (!points) {
    context.moveTo(x + r, y);
    context.arc(x, y, r, 0, 2 * Math.PI);
    return;
  }
  points.forEach(([dx, dy], index) => (index === 0 ? context.moveTo(x + dx, y + dy) : context.lineTo(x + dx, y + dy)));
  context.closePath();
}
