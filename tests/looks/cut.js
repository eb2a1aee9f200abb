// Text that is cut off, and text that leaves its box: each told in a line.
([words, windows, boxes]) => {
  const out = [], brush = document.createElement("canvas").getContext("2d");
  const named = (one) => `${one.tagName.toLowerCase()}${one.id && "#" + one.id}.${[...one.classList].join(".")}`;
  const told = (one) => (one.textContent || "").trim().replace(/\s+/g, " ").slice(0, 60);
  const heard = (one) => {
    for (let up = one; up; up = up.parentElement) if (getComputedStyle(up).clipPath === "inset(50%)") return true;
  };
  const there = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true }) && !heard(one);
  const hides = (value) => value === "hidden" || value === "clip";
  const wide = (one, style, text) => { brush.font = style.font; return brush.measureText(text).width; };
  const room = (one, style) => one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest(windows) || !there(one)) continue;
    const style = getComputedStyle(one);
    if (one.matches("input") && one.placeholder && !one.value && one.clientWidth) {
      const over = wide(one, style, one.placeholder) - room(one, style);
      if (over > 1) out.push(`${named(one)} hides ${Math.round(over)} of "${one.placeholder}"`);
    }
    if (one.matches("select") && one.selectedOptions[0]) {
      const over = wide(one, style, one.selectedOptions[0].text.trim()) - (room(one, style) - 16);
      if (over > 1) out.push(`${named(one)} hides ${Math.round(over)} of "${one.selectedOptions[0].text.trim()}"`);
    }
    if (!one.clientWidth || one.closest(words) || one.matches("input, select, textarea")) continue;
    const x = hides(style.overflowX) ? one.scrollWidth - one.clientWidth : 0;
    const y = hides(style.overflowY) ? one.scrollHeight - one.clientHeight : 0;
    if (x > 1 || y > 1) out.push(`${named(one)} cuts ${x}, ${y}: "${told(one)}"`);
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), range = document.createRange();
  while (texts.nextNode()) {
    const text = texts.currentNode, parent = text.parentElement;
    if (!text.data.trim() || parent.closest(windows) || parent.closest("select, textarea, script, style")) continue;
    if (!there(parent)) continue;
    range.selectNodeContents(text);
    const lines = [...range.getClientRects()].filter((line) => line.width > 1);
    if (!lines.length) continue;
    const left = Math.min(...lines.map((line) => line.left)), right = Math.max(...lines.map((line) => line.right));
    for (let up = parent; up && up !== document.body; up = up.parentElement) {
      const style = getComputedStyle(up);
      if (style.overflowX !== "visible" && !hides(style.overflowX)) break;
      if (up.matches(boxes) && style.display !== "contents") {
        const box = up.getBoundingClientRect();
        if (left < box.left - 1 || right > box.right + 1) {
          const over = Math.round(Math.max(box.left - left, right - box.right));
          out.push(`"${told(parent)}" leaves ${named(up)} by ${over}`);
          break;
        }
      }
      if (style.overflowX !== "visible" || style.position === "fixed") break;
    }
  }
  return [...new Set(out)];
}
