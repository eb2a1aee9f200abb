/** A time as it is typed, said in words beside its field: browsers write dates in their own order. */
import { $ } from "./rows.js";

const SAID = new Intl.DateTimeFormat(document.documentElement.lang, {
  weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit",
});

document.addEventListener("input", ({ target }) => {
  const said = target.matches("[type=datetime-local]") && $("output", target.closest(".why__field"));
  if (said) said.textContent = target.value && SAID.format(new Date(target.value));
});
