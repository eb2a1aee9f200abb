/** On a phone the rail is a strip that goes on beyond the screen: the page that one is at stands in its middle. */
const here = document.querySelector(".rail [aria-current]"), strip = here?.closest(".rail");

if (strip && strip.scrollWidth > strip.clientWidth)
  strip.scrollLeft = here.offsetLeft - (strip.clientWidth - here.offsetWidth) / 2;
