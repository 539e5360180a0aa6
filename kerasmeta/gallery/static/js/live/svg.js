// Small helpers that make SVG elements.

const NAMESPACE = "http://www.w3.org/2000/svg";

/** An SVG element with attributes and children (elements or text). */
export function svg(name, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, name);
  for (const [key, value] of Object.entries(attributes)) {
    element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

/** Text in a drawing. `className` chooses its colour and size (gallery.css). */
export function label(x, y, text, className = "", anchor = "middle") {
  return svg("text", { x, y, class: className, "text-anchor": anchor }, text);
}

/** A probability in three characters: .07, .98, 1.0. */
export function short(probability) {
  const text = probability.toFixed(2);
  return text === "1.00" ? "1.0" : text.replace(/^0/, "");
}

/** A context as a barcode: dark for +1, light for -1. */
export function barcode(context, x, y, width, height) {
  const step = width / context.length;
  const group = svg("g", { class: "barcode" });
  context.forEach((bit, n) => {
    const place = { x: x + n * step, y, width: step - 1, height };
    group.append(svg("rect", { ...place, class: bit > 0 ? "bit on" : "bit" }));
  });
  return group;
}

/** A coin for a reward, an empty ring for none. */
export function coin(x, y, reward) {
  const state = reward > 0 ? "paid" : reward < 0 ? "lost" : "unpaid";
  const sign = reward > 0 ? "+" : reward < 0 ? "\u2212" : "";
  return svg(
    "g",
    { class: `coin ${state}` },
    svg("circle", { cx: x, cy: y, r: 8 }),
    label(x, y + 4.5, sign, "coin-sign"),
  );
}
