/** The choices beside the phone set the ticker's attribute of their own name; the worker keeps the page for later. */
const ticker = document.querySelector("telekom-ticker");
const choices = document.querySelector(".choices");
const tabs = document.querySelector(".tabs");

choices.addEventListener("submit", (event) => event.preventDefault());
choices.addEventListener("change", ({ target }) => {
  if (target.value) ticker.setAttribute(target.name, target.value);
  else ticker.removeAttribute(target.name);
});

const keepForLater = async () => {
  await navigator.serviceWorker.register(tabs.dataset.worker);
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage({ keep: Array.from(tabs.querySelectorAll("a"), (tab) => tab.pathname) });
};

// On a phone a row of many tabs begins with the one that is open.
const here = tabs.querySelector("[aria-current]");
tabs.scrollLeft = here.offsetLeft - (tabs.clientWidth - here.offsetWidth) / 2;
if ("serviceWorker" in navigator) keepForLater().catch(() => null); // without it the page works as well
