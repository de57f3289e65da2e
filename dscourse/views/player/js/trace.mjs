// The trace as it comes from Python: one compressed block of columns, read once.

export const NOBODY = 0xffff;

const ARRAYS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

/** Undo zlib. */
export async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer();
}

/**
 * Read a block: length of the header (u4, little endian), header (JSON), then the columns, each at a multiple of four.
 * Returns an object with `size` events and the columns `time` (µs), `kind`, `node`, `peer`, `type`, `text`, `message`.
 */
export function readTrace(buffer) {
  const length = new DataView(buffer).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  const trace = { ...header };
  for (const [name, type, offset, size] of header.columns) {
    trace[name] = new ARRAYS[type](buffer, offset, size);
  }
  trace.size = trace.kind.length;
  trace.time = new Float64Array(trace.size);
  let now = 0;
  for (let index = 0; index < trace.size; index += 1) {
    now += trace.delta[index];
    trace.time[index] = now;
  }
  trace.kindOf = (index) => trace.kinds[trace.kind[index]];
  trace.typeOf = (index) => trace.types[trace.type[index]];
  trace.detailOf = (index) => (trace.texts[trace.text[index]] ? JSON.parse(trace.texts[trace.text[index]]) : null);
  trace.textOf = (index) => trace.texts[trace.text[index]];
  trace.nameOf = (party) => (party === NOBODY ? "" : trace.parties[party].id);
  trace.linkKeys = linkKeys(trace);
  return trace;
}

/** The links of a complete graph are not sent; count them here. */
function linkKeys(trace) {
  if (trace.links) return trace.links;
  const nodes = trace.parties.map((party, index) => index).filter((index) => !trace.parties[index].client);
  const links = [];
  for (let first = 0; first < nodes.length; first += 1) {
    for (let second = first + 1; second < nodes.length; second += 1) links.push([nodes[first], nodes[second]]);
  }
  return links;
}

/** The first event in which two runs differ: { index, time }, or null if they are the same. */
export function firstDifference(one, other) {
  const shorter = Math.min(one.size, other.size);
  for (let index = 0; index < shorter; index += 1) {
    if (
      one.time[index] !== other.time[index] ||
      one.kindOf(index) !== other.kindOf(index) ||
      one.nameOf(one.node[index]) !== other.nameOf(other.node[index]) ||
      one.nameOf(one.peer[index]) !== other.nameOf(other.peer[index]) ||
      one.typeOf(index) !== other.typeOf(index) ||
      one.textOf(index) !== other.textOf(index)
    ) {
      return { index, time: Math.min(one.time[index], other.time[index]) };
    }
  }
  if (one.size === other.size) return null;
  return { index: shorter, time: (one.size > shorter ? one : other).time[shorter] };
}
