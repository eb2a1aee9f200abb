/** The two choices beside the phone: each select sets the ticker's attribute of its own name. */
const ticker = document.querySelector("telekom-ticker");
const choices = document.querySelector(".choices");

choices.addEventListener("submit", (event) => event.preventDefault());
choices.addEventListener("change", ({ target }) => {
  if (target.value) ticker.setAttribute(target.name, target.value);
  else ticker.removeAttribute(target.name);
});
