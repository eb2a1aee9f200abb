/** A time of which a part is missing would be sent as none at all, and none means "at once" or "for ever". */

document.addEventListener("submit", (event) => {
  const half = [...event.target.elements].find((field) => field.validity?.badInput);
  if (!half) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  half.reportValidity();  // stands in it, and says in the browser's language what is missing
}, { capture: true });
