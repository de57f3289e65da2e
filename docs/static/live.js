// What moves on a page without a kernel. Each live thing is a figure that a script beside it has described:
//     dscourse.describe("name", { kind: "player", state: {…}, bytes: { payload: "base64" } })
// It is drawn by the same code as in JupyterLab; what only Python can do says so. Text goes in as text, never as HTML.

window.dscourse = (() => {
  const kinds = {};
  const described = {};
  const KEPT = "dscourse-tasks"; // ticked tasks, kept in this browser

  function bytesOf(base64) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let place = 0; place < text.length; place += 1) bytes[place] = text.charCodeAt(place);
    return new DataView(bytes.buffer);
  }

  function make(tag, properties = {}, ...children) {
    const element = Object.assign(document.createElement(tag), properties);
    element.append(...children);
    return element;
  }

  function kept() {
    try {
      return JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    } catch {
      return []; // a browser that keeps nothing, or something else under this name
    }
  }

  function keep(names) {
    try {
      localStorage.setItem(KEPT, JSON.stringify(names));
    } catch {
      // nothing is kept then
    }
  }

  /** What stands for the widget's model: it has a state, tells who listens of changes, and reaches no kernel. */
  function modelOf({ state, bytes, revealed }) {
    const values = { ...state, ...Object.fromEntries(Object.entries(bytes).map(([name, text]) => [name, bytesOf(text)])) };
    const listeners = {};
    const model = {
      get: (name) => values[name],
      set: (name, value) => {
        values[name] = value;
        for (const listener of listeners[`change:${name}`] ?? []) listener();
      },
      on: (event, listener) => (listeners[event] ??= []).push(listener),
      off: (event, listener) => { listeners[event] = (listeners[event] ?? []).filter((one) => one !== listener); },
      save_changes: () => {},
      send: (message) => {
        if (message.type === "reveal") {
          for (const [name, text] of Object.entries(revealed)) model.set(name, bytesOf(text));
          model.set("hides_faults", false);
          model.set("answered", values.answered + 1);
          return;
        }
        if (message.type !== "visited") throw new Error("Only Python could do this.");
        keep([...new Set([...kept(), message.name])]);
        tick();
      },
    };
    const tick = () => {
      const tasks = JSON.parse(values.tasks);
      const done = new Set(kept());
      model.set("tasks", JSON.stringify(tasks.map((task) => ({ ...task, done: task.done || done.has(task.name) }))));
    };
    if (values.tasks) tick();
    return model;
  }

  /** Pictures made beforehand, one for each setting; controls step through them. */
  function table({ controls, pictures }, place) {
    const image = make("img");
    const caption = make("figcaption");
    const chosen = controls.map(({ start }) => start);
    const show = () => {
      const { png, alt, caption: words, width } = pictures[chosen.join(",")];
      image.src = `data:image/png;base64,${png}`;
      image.alt = alt;
      image.style.width = `${width}px`;
      caption.textContent = words;
    };
    const rows = controls.map(({ label, values, start }, place) => {
      const shown = make("output", { textContent: values[start] });
      const slider = make("input", { type: "range", min: 0, max: values.length - 1, value: start, oninput: () => {
        chosen[place] = Number(slider.value);
        shown.textContent = values[chosen[place]];
        slider.setAttribute("aria-valuetext", values[chosen[place]]);
        show();
      } });
      slider.setAttribute("aria-valuetext", values[start]);
      return make("label", { className: "dscourse-control" }, `${label} `, slider, " ", shown);
    });
    const note = make("p", { className: "dscourse-note", textContent: "Some settings, drawn beforehand; in JupyterLab every one is drawn as you move." });
    place.replaceChildren(...rows, make("figure", { className: "dscourse-figure" }, image, caption), note);
    show();
  }

  function draw(place) {
    const thing = described[place.dataset.live];
    if (!thing) return;
    if (thing.kind === "table") {
      table(thing, place);
    } else {
      const model = modelOf(thing);
      const start = sought(place);
      if (start !== null) model.set("begin_at", start);
      place.replaceChildren();
      kinds[thing.kind]({ model, el: place });
    }
    place.dataset.drawn = "yes";
  }

  /** The moment that the address asks for: page.html#name@seconds. */
  function sought(place) {
    const [name, seconds] = decodeURIComponent(location.hash.slice(1)).split("@");
    return name === place.id && Number(seconds) >= 0 ? Math.round(Number(seconds) * 1e6) : null;
  }

  document.addEventListener("DOMContentLoaded", () => {
    const places = [...document.querySelectorAll("[data-live]")];
    // What is not in sight yet is drawn when it is about to be.
    const watch = new IntersectionObserver((entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        draw(target);
      }
    }, { rootMargin: "600px" });
    for (const place of places) watch.observe(place);
    const named = places.find((place) => sought(place) !== null);
    if (named) {
      draw(named);
      watch.unobserve(named);
      // What is drawn above it meanwhile pushes it down.
      for (const delay of [0, 300, 900]) setTimeout(() => named.scrollIntoView({ block: "start" }), delay);
    }
    window.addEventListener("hashchange", () => {
      const place = places.find((one) => sought(one) !== null);
      if (place) draw(place);
    });
  });

  return { kinds, describe: (name, thing) => { described[name] = thing; } };
})();
