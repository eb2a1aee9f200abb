/** One's last acts, in a dialog over the desk; read anew after each that is taken back. */

import { $ } from "./rows.js";
import { during } from "./swaps.js";

const dialog = $("#recent");

/** Whatever was decided: its form may be gone by then, so what was swapped tells. */
during("over", "history", ({ target, requestConfig: { verb, swapped } }) => {
  if (!dialog || !swapped) return;
  if (target.id === "recent-acts" && !dialog.open) dialog.showModal();
  if (dialog.open && verb === "post") window.htmx.trigger("#recent-acts", "renewed");
});
