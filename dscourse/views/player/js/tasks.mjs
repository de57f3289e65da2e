// The checklist. Python ticks what can be read from a run, the page what is about where the cursor has been.

import { make } from "./dom.mjs";

/** Follows the cursor through the visits of tasks; `visited(name)` is called when all of one have been made, in order. */
export function visitsOf(visited) {
  const reached = new Map(); // name → how many of its visits have been made
  return (tasks, from, to) => {
    for (const task of tasks) {
      if (task.done || task.visits.length === 0) continue;
      const next = reached.get(task.name) ?? 0;
      if (next >= task.visits.length) continue;
      const [begin, end] = task.visits[next];
      if (Math.max(from, to) < begin || Math.min(from, to) >= end) continue;
      reached.set(task.name, next + 1);
      if (next + 1 === task.visits.length) visited(task.name);
    }
  };
}

export function tasksView() {
  const list = make("ol", { class: "dp-task-list" });
  const count = make("span", { class: "dp-hint", role: "status" });
  const element = make("section", { class: "dp-tasks", "aria-label": "tasks", hidden: true },
    make("h4", {}, make("span", { text: "Tasks " }), count), list);
  let tasks = [];

  function show(next) {
    tasks = next;
    element.hidden = tasks.length === 0;
    count.textContent = `${tasks.filter((task) => task.done).length} of ${tasks.length} done`;
    list.replaceChildren(...tasks.map((task) => make("li", { class: task.done ? "dp-done" : "", "data-task": task.name },
      make("span", { class: "dp-tick", "aria-hidden": "true", text: task.done ? "☑" : "☐" }),
      make("span", { text: task.text }), make("span", { class: "dp-unseen", text: task.done ? " (done)" : " (to do)" }))));
  }

  return { element, show, list: () => tasks };
}
