// The same page as slides: page.html?slides shows one section at a time. Arrow keys, Page Up and Page Down turn the page;
// what moves in it (players, sliders, fields) keeps its own keys. Esc goes back to the whole page.

if (new URLSearchParams(location.search).has("slides")) {
  document.documentElement.classList.add("dscourse-slides");
  document.addEventListener("DOMContentLoaded", () => {
    const article = document.querySelector("article[role=main]");
    const title = article.querySelector("section");
    const slides = [...title.querySelectorAll(":scope > section")];
    const cover = document.createElement("section");
    cover.append(...[...title.children].filter((one) => one.tagName !== "SECTION" && one.tagName !== "SPAN"));
    title.prepend(cover);
    slides.unshift(cover);
    const where = document.createElement("p");
    where.className = "dscourse-where";
    where.setAttribute("role", "status");
    document.body.append(where);
    let place = 0;

    const show = (next) => {
      place = Math.max(0, Math.min(slides.length - 1, next));
      slides.forEach((slide, index) => { slide.hidden = index !== place; });
      where.textContent = `${place + 1} / ${slides.length}`;
      window.scrollTo(0, 0);
    };
    const steps = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 };
    window.addEventListener("keydown", (event) => {
      if (event.target.closest("input, textarea, select, .dscourse-player, .dp-menu")) return;
      if (event.key === "Escape") location.search = "";
      if (!(event.key in steps) || event.altKey || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      show(place + steps[event.key]);
    });
    show(0);
  });
}
