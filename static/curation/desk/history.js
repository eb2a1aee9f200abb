/** One's last acts, in a dialog over the desk; read anew after each that is taken back. */

import { $ } from "./rows.js";

const dialog = $("#recent");

/** Its forms are htmx's at once, not only when the swap has settled: a quick press would load the page. */
document.addEventListener("htmx:afterSwap", ({ detail: { target } }) => {
  if (target.id !== "recent-acts") return;
  window.htmx.process(target);
  if (!dialog.open) dialog.showModal();
});
/** Whatever was decided: its form may be gone by then, so what was swapped tells. */
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig } }) => {
  if (dialog?.open && requestConfig.verb === "post") window.htmx.trigger("#recent-acts", "renewed");
});
