/** One's last acts, in a dialog over the desk; read anew after each that is taken back. */

import { $ } from "./rows.js";

const dialog = $("#recent");

document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target.id === "recent-acts" && !dialog.open) dialog.showModal();
});
/** Whatever was decided: its form may be gone by then, so what was swapped tells. */
document.addEventListener("htmx:afterSwap", ({ detail: { requestConfig } }) => {
  if (dialog?.open && requestConfig.verb === "post") window.htmx.trigger("#recent-acts", "renewed");
});
