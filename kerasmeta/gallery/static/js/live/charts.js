// The charts that grow while someone plays: bars with reference marks, and lines.

import { label, short, svg } from "./svg.js";

const WIDTH = 340;
const HEIGHT = 190;
const LEFT = 30;
const BOTTOM = 38;
const TOP = 22;

const yOf = (p) => TOP + (1 - p) * (HEIGHT - TOP - BOTTOM);

/** Clears a chart and draws its axes. */
function frame(element, chart) {
  element.replaceChildren();
  element.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
  for (const p of [0, 0.25, 0.5, 0.75, 1]) {
    const line = { x1: LEFT, x2: WIDTH - 4, y1: yOf(p), y2: yOf(p), class: "grid" };
    element.append(svg("line", line));
    if (p % 0.5 === 0) element.append(label(LEFT - 6, yOf(p) + 4, String(p), "tick", "end"));
  }
}

/**
 * Bars, one cluster a category.
 *
 * @param {SVGElement} element
 * @param {object} chart  Its categories: {key, label, group, tone, metric, name}.
 * @param {object[]} series  {name, tally, hollow}, drawn side by side.
 * @param {object} marks  The card's numbers by metric, drawn as lines across.
 */
export function drawBars(element, chart, series, marks) {
  frame(element, chart);
  const gap = 14;
  const room = (WIDTH - LEFT - 4 - gap) / chart.categories.length;
  chart.categories.forEach((category, n) => {
    const later = category.group !== chart.categories[0].group;
    const centre = LEFT + (n + 0.5) * room + (later ? gap : 0);
    drawCluster(element, category, series, centre, room * 0.66);
    drawMark(element, marks[category.metric], centre, room * 0.8);
    const tone = `tick ${category.tone}-text`;
    element.append(label(centre, HEIGHT - BOTTOM + 14, category.label, tone));
  });
  groupsOf(chart.categories).forEach(([group, first, last]) => {
    const later = first > 0 ? gap : 0;
    const middle = LEFT + ((first + last + 1) / 2) * room + later;
    element.append(label(middle, HEIGHT - 8, group, "axis"));
  });
}

function drawCluster(element, category, series, centre, room) {
  const width = room / series.length;
  series.forEach(({ tally, hollow }, n) => {
    const { mean, trials } = tally.of(category.key);
    const x = centre - room / 2 + n * width;
    const middle = x + width / 2;
    if (!trials) return;
    element.append(
      svg("rect", {
        ...{ x: x + 1, width: width - 2, y: yOf(mean) },
        height: Math.max(yOf(0) - yOf(mean), 1),
        class: `bar ${category.tone}${hollow ? " hollow" : ""}`,
      }),
      label(middle, yOf(mean) - 3, short(mean), "number"),
    );
  });
}

function drawMark(element, value, centre, width) {
  if (value === undefined) return;
  const [x1, x2] = [centre - width / 2, centre + width / 2];
  element.append(svg("line", { x1, x2, y1: yOf(value), y2: yOf(value), class: "mark" }));
}

/** [group, first index, last index] of neighbours that share a group. */
function groupsOf(categories) {
  const groups = [];
  categories.forEach(({ group }, n) => {
    if (groups.at(-1)?.[0] === group) groups.at(-1)[2] = n;
    else groups.push([group, n, n]);
  });
  return groups;
}

/** Lines over an ordered axis, one a group of categories. */
export function drawLines(element, chart, series, marks) {
  frame(element, chart);
  const places = [...new Set(chart.categories.map(({ label: text }) => text))];
  const room = (WIDTH - LEFT - 12) / places.length;
  const xOf = (category) => LEFT + (places.indexOf(category.label) + 0.5) * room;
  places.forEach((text, n) => {
    const x = LEFT + (n + 0.5) * room;
    element.append(label(x, HEIGHT - BOTTOM + 14, text, "tick"));
  });
  element.append(label((LEFT + WIDTH) / 2, HEIGHT - 8, chart.xLabel, "axis"));
  const groups = groupsOf(chart.categories);
  groups.forEach(([name, first], n) => {
    if (groups.length === 1) return;
    const x = LEFT + 4 + (n * (WIDTH - LEFT)) / groups.length;
    const tone = `axis ${chart.categories[first].tone}-text`;
    element.append(label(x, 11, `\u25cf ${name}`, tone, "start"));
  });
  for (const [, first, last] of groups) {
    const group = chart.categories.slice(first, last + 1);
    for (const category of group) drawMark(element, marks[category.metric], xOf(category), 18);
    series.forEach((one) => drawLine(element, group, one, xOf));
  }
}

function drawLine(element, group, { tally, hollow }, xOf) {
  const known = group.filter(({ key }) => tally.of(key).trials);
  const points = known.map((category) => [xOf(category), yOf(tally.of(category.key).mean)]);
  const look = `line ${group[0].tone}${hollow ? " hollow" : ""}`;
  element.append(svg("polyline", { points: points.join(" "), class: look }));
  for (const [cx, cy] of points) element.append(svg("circle", { cx, cy, r: 3.2, class: look }));
}

/** Draws a chart of either kind, and tells screen readers what it shows. */
export function drawChart(element, chart, series, marks) {
  (chart.kind === "lines" ? drawLines : drawBars)(element, chart, series, marks);
  element.setAttribute("aria-label", inWords(chart, series));
}

function inWords(chart, series) {
  const told = series.map(({ name, tally }) => {
    const values = chart.categories
      .map((category) => [category, tally.of(category.key)])
      .filter(([, { trials }]) => trials)
      .map(([{ name: what }, { mean }]) => `${what} ${mean.toFixed(2)}`);
    return `${name}: ${values.join(", ") || "nothing yet"}`;
  });
  return `${chart.title}. ${told.join(". ")}.`;
}

/** The numbers of a chart as the rows of a table. */
export function fillTable(body, chart, series) {
  body.replaceChildren(
    ...chart.categories.map(({ key, name }) => {
      const row = document.createElement("tr");
      const head = document.createElement("th");
      head.scope = "row";
      head.textContent = name;
      row.append(head);
      for (const { tally } of series) {
        const { mean, trials } = tally.of(key);
        const cell = document.createElement("td");
        cell.textContent = trials ? `${mean.toFixed(3)} (${trials})` : "\u2013";
        row.append(cell);
      }
      return row;
    }),
  );
}

const TRACE = { width: 680, height: 120, steps: 60 };

/** Value (line), prediction error (stems) and rewards (dots) of the last steps. */
export function drawTrace(element, trace) {
  const { width, height, steps } = TRACE;
  const shown = trace.slice(-steps);
  const all = shown.flatMap(({ value, error }) => [Math.abs(value), Math.abs(error ?? 0)]);
  const limit = Math.max(1, ...all) * 1.08;
  const x = (n) => 40 + (n + 0.5) * ((width - 48) / steps);
  const y = (v) => height / 2 - (v / limit) * (height / 2 - 12);
  element.replaceChildren();
  element.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const zero = { x1: 40, x2: width - 4, y1: y(0), y2: y(0), class: "axis-line" };
  element.append(svg("line", zero), label(34, y(0) + 4, "0", "tick", "end"));
  element.append(label(34, y(1) + 4, "1", "tick", "end"));
  element.append(label(34, y(-1) + 4, "\u22121", "tick", "end"));
  shown.forEach(({ error, reward }, n) => {
    if (error !== null) {
      const stem = { x1: x(n), x2: x(n), y1: y(0), y2: y(error), class: "stem" };
      element.append(svg("line", stem));
      element.append(svg("circle", { cx: x(n), cy: y(error), r: 3, class: "stem-end" }));
    }
    const paid = reward > 0 ? "paid" : reward < 0 ? "lost" : "unpaid";
    const dot = { cx: x(n), cy: height - 5, r: 2.6, class: `reward ${paid}` };
    element.append(svg("circle", dot));
  });
  const points = shown.map(({ value }, n) => [x(n), y(value)]).join(" ");
  element.append(svg("polyline", { points, class: "value" }));
}
