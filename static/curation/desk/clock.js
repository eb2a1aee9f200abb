/** A time as it is typed, said in words beside its field: browsers write dates in their own order. By the clocks of
 * the market, whatever the browser's own show. */
import { $ } from "./rows.js";

const MINUTE = 60_000, DAY = 1440 * MINUTE;
const SAID = { weekday: "long", day: "numeric", month: "long", hour: "2-digit", minute: "2-digit", timeZone: "UTC" };

/** How many minutes the clocks of a zone are ahead of UTC at a moment. */
function ahead(timeZone, at) {
  const shown = new Intl.DateTimeFormat("sv", { timeZone, dateStyle: "short", timeStyle: "medium" }).format(at);
  return (Date.parse(`${shown.replace(" ", "T")}Z`) - at) / MINUTE;
}

/** The moments at which the clocks of a zone show a time: none, one, or two as they are set back. */
function moments(zone, shown) {
  const told = [shown - DAY, shown + DAY].map((near) => shown - ahead(zone, near) * MINUTE);
  return [...new Set(told)].filter((at) => at + ahead(zone, at) * MINUTE === shown).sort((one, other) => one - other);
}

function inWords(typed, { zone, own, names, twice }) {
  const shown = Date.parse(`${typed}Z`);
  if (Number.isNaN(shown)) return "";
  const thisYear = new Date(shown).getUTCFullYear() === new Date().getFullYear();
  const words = new Intl.DateTimeFormat(document.documentElement.lang, thisYear ? SAID : { ...SAID, year: "numeric" }).format(shown);
  const [first, second] = moments(zone, shown);
  const apart = first !== undefined && (second !== undefined || ahead(own, first) !== ahead(zone, first));
  const named = apart ? `${words} ${JSON.parse(names)[ahead(zone, first)] ?? ""}`.trim() : words;
  return second === undefined ? named : `${named} · ${twice}`;
}

document.addEventListener("input", ({ target }) => {
  const said = target.matches("[type=datetime-local]") && $("output", target.closest(".why__field"));
  if (said) said.textContent = inWords(target.value, said.dataset);
});
