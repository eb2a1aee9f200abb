/** Lists of links whose counts are told anew stay the same links: one may be pressed at this moment, have the focus, or
 * wait for its answer, and htmx then reads from it what the answer is for. */

import { during } from "./swaps.js";

const children = (node) => [...node.childNodes].filter((child) => child.nodeType === Node.ELEMENT_NODE || child.data.trim());
const busy = (node) => node.matches(".htmx-request");

/** Makes a node say what another says; false, with some of it said, if they are not built alike. */
function say(node, other) {
  if (node.nodeName !== other.nodeName) return false;
  if (node.nodeType !== Node.ELEMENT_NODE) return (node.data = other.data), true;
  if (node.getAttribute("href") !== other.getAttribute("href")) return false;
  for (const { name } of [...node.attributes]) if (!other.hasAttribute(name)) node.removeAttribute(name);
  const waits = busy(node);
  for (const { name, value } of other.attributes) if (name !== "hx-swap-oob") node.setAttribute(name, value);
  node.classList.toggle("htmx-request", waits);
  const mine = children(node), theirs = children(other);
  return mine.length === theirs.length && mine.every((child, n) => say(child, theirs[n]));
}

during("placing", "links", (detail) => {
  if (detail.target.matches("nav, ul") && say(detail.target, detail.fragment.firstElementChild)) detail.shouldSwap = false;
});
