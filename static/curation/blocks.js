/** Escape leaves what stands beside the list of blocks, as its own link does. */

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented) return;
  event.target.closest("#panel")?.querySelector("[data-close]")?.click();
});
