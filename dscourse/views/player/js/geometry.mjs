// Where things stand in the picture, and what the pointer is on.

/** Do the parties stand on a circle? */
export function onCircle(parties) {
  return parties.every(({ x, y }) => Math.abs(Math.hypot(x - 0.5, y - 0.5) - 0.5) < 0.1);
}

/** Spread positions (0 … 1) over a rectangle with a margin; [x, y] in pixels. A circle may become an ellipse, but no flat one. */
export function placeParties(parties, width, height, margin, sideMargin = margin) {
  const stretch = parties.length < 5 || onCircle(parties) ? 1.8 : 3.5;
  const high = Math.max(1, height - 2 * margin);
  const wide = Math.max(1, Math.min(width - 2 * sideMargin, stretch * high));
  return parties.map((party) => [width / 2 + (party.x - 0.5) * wide, margin + party.y * high]);
}

/** Does a name fit into a shape of radius `r`? Longer ones stand outside. */
export function nameFits(name, r) {
  return name.length * 8 <= 2 * r + 8;
}

/**
 * Where the words of a node start, relative to it: { x, y, anchor }. Below it; on a crowded circle (`beside`) at its outer side,
 * where they run into no neighbour, except at the top and the bottom.
 */
export function placeWords({ x }, r, beside) {
  if (!beside || Math.abs(x - 0.5) < 0.02) return { x: 0, y: r + 17, anchor: "middle" };
  return x > 0.5 ? { x: r + 10, y: 5, anchor: "start" } : { x: -r - 10, y: 5, anchor: "end" };
}

/** How many pixels words beside a node at `x` may take in a picture `width` wide. */
export function roomFor({ x: start, anchor }, x, width) {
  if (anchor === "middle") return Infinity;
  return Math.max(0, anchor === "start" ? width - x - start : x + start);
}

/** Words cut so that they fit into some pixels; the whole is in the title of the node. */
export function shortened(words, room) {
  const most = Math.max(2, Math.floor(room / 7.5));
  return words.length <= most ? words : `${words.slice(0, most - 1).trimEnd()}…`;
}

/** Does a rectangle [left, top, width, height] keep clear of all these? */
export function fits(rectangles, [left, top, width, height]) {
  return rectangles.every(([x, y, w, h]) => left >= x + w || x >= left + width || top >= y + h || y >= top + height);
}

/** Is a point inside a closed line? (Even-odd rule.) */
export function isInside(polygon, [x, y]) {
  let inside = false;
  for (let i = 0, j = polygon.length - 1; i < polygon.length; j = i, i += 1) {
    const [xi, yi] = polygon[i];
    const [xj, yj] = polygon[j];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}

/** The parties whose position lies inside a lasso. */
export function caught(polygon, positions) {
  if (polygon.length < 3) return [];
  return positions.map((_, party) => party).filter((party) => isInside(polygon, positions[party]));
}

/** Distance of a point from a stretch between two points. */
export function distanceTo([px, py], [ax, ay], [bx, by]) {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const part = length === 0 ? 0 : Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / length));
  return Math.hypot(px - ax - part * dx, py - ay - part * dy);
}

/** The nearest of some stretches ([a, b] points) within `limit` pixels; its index, or -1. */
export function nearest(point, stretches, limit) {
  let best = -1;
  let least = limit;
  stretches.forEach(([a, b], index) => {
    const distance = distanceTo(point, a, b);
    if (distance <= least) {
      least = distance;
      best = index;
    }
  });
  return best;
}

/** The outline around some points (Andrew's monotone chain), anticlockwise on paper. */
export function hull(points) {
  const sorted = points.slice().sort((one, other) => one[0] - other[0] || one[1] - other[1]);
  if (sorted.length < 3) return sorted;
  const turn = (o, a, b) => (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0]);
  const half = (list) => {
    const chain = [];
    for (const point of list) {
      while (chain.length >= 2 && turn(chain[chain.length - 2], chain[chain.length - 1], point) <= 0) chain.pop();
      chain.push(point);
    }
    chain.pop();
    return chain;
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

/** Corner points of a shape of radius `r` around the origin, by its matplotlib marker; null for a circle. */
export function corners(shape, r) {
  const ring = (count, turned, radius = () => r) =>
    Array.from({ length: count }, (_, index) => {
      const angle = turned + (2 * Math.PI * index) / count;
      return [radius(index) * Math.sin(angle), -radius(index) * Math.cos(angle)];
    });
  const cross = (w) => [[-w, -r], [w, -r], [w, -w], [r, -w], [r, w], [w, w], [w, r], [-w, r], [-w, w], [-r, w], [-r, -w], [-w, -w]];
  const rotated = (points) => points.map(([x, y]) => [(x - y) * Math.SQRT1_2, (x + y) * Math.SQRT1_2]);
  const shapes = {
    "*": () => ring(10, 0, (index) => (index % 2 ? 0.56 * r : 1.18 * r)),
    s: () => ring(4, Math.PI / 4, () => 1.25 * r),
    D: () => ring(4, 0, () => 1.22 * r),
    p: () => ring(5, 0, () => 1.1 * r),
    h: () => ring(6, 0, () => 1.08 * r),
    H: () => ring(6, Math.PI / 6, () => 1.08 * r),
    "^": () => ring(3, 0, () => 1.3 * r),
    v: () => ring(3, Math.PI, () => 1.3 * r),
    P: () => cross(0.45 * r),
    X: () => rotated(cross(0.42 * r)),
  };
  return shapes[shape] ? shapes[shape]() : null;
}

/** An SVG path for a shape. */
export function shapePath(shape, r) {
  const points = corners(shape, r);
  if (!points) return `M${-r} 0A${r} ${r} 0 1 0 ${r} 0A${r} ${r} 0 1 0 ${-r} 0Z`;
  return `M${points.map(([x, y]) => `${x.toFixed(2)} ${y.toFixed(2)}`).join("L")}Z`;
}

/** An SVG path along a circle for a share (0 … 1), from the top clockwise. */
export function arcPath(share, r) {
  if (share <= 0) return "";
  if (share >= 1) return `M0 ${-r}A${r} ${r} 0 1 1 0 ${r}A${r} ${r} 0 1 1 0 ${-r}`;
  const angle = 2 * Math.PI * share;
  const large = share > 0.5 ? 1 : 0;
  return `M0 ${-r}A${r} ${r} 0 ${large} 1 ${(r * Math.sin(angle)).toFixed(2)} ${(-r * Math.cos(angle)).toFixed(2)}`;
}

/** The pixels that a stamp covers: [index offset in a picture `width` wide, colour] for each that is more than half opaque. */
export function inkOf(pixels, side, width) {
  const ink = [];
  for (let index = 0; index < pixels.length; index += 1) {
    if (pixels[index] >>> 24 > 127) ink.push([Math.floor(index / side) * width + (index % side), pixels[index]]);
  }
  return ink;
}

/** Put a stamp (its ink) at each of some places (upper left corners), wherever it lies wholly inside. */
export function printAll(pixels, width, height, ink, side, places) {
  for (const [x, y] of places) {
    const left = Math.round(x);
    const top = Math.round(y);
    if (left < 0 || top < 0 || left + side > width || top + side > height) continue;
    const start = top * width + left;
    for (const [offset, colour] of ink) pixels[start + offset] = colour;
  }
}

/** Round steps for an axis: about `wanted` ticks in [from, to], in µs. */
export function axisTicks(from, to, wanted) {
  const rough = (to - from) / Math.max(1, wanted);
  if (!(rough > 0)) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough);
  const ticks = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to; tick += step) ticks.push(Math.round(tick));
  return ticks;
}
