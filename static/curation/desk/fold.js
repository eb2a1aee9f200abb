/** Columns fold at once; the server remembers it. */

document.addEventListener("submit", ({ target }) => {
  const column = target.dataset?.fold;
  if (!column) return;
  const folded = document.body.classList.toggle(`is-${column}-folded`);
  target.elements.folded.value = folded ? "1" : "0";
  target.querySelector("button").setAttribute("aria-expanded", String(!folded));
}, true);
