/** Another tab, order or search of the same desk: the queue alone is exchanged, and what waits to be sent stays. */

import { remark } from "./acts.js";
import { current, onward, recount, rows, stand } from "./rows.js";
import { during } from "./swaps.js";

during("over", "turn", ({ target, requestConfig: { swapped } }) => {
  if (target.id !== "main" || !swapped) return;
  remark();
  recount();
  const first = current() ?? rows()[0];
  if (first) stand(first.matches(".is-decided") ? onward(first) ?? first : first);
});
