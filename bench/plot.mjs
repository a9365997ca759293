// Draws the rows of one workload as bars, a colour for each target, as a picture that stands alone.
import { standing } from "./goals.mjs";

const WIDTH = 960;
const LABEL_WIDTH = 400;
/** What the texts behind the bars take. */
const TEXT_WIDTH = 150;
const BAR_HEIGHT = 14;
const ROW_GAP = 8;
const TOP = 56;
const COLOURS = ["#326ce5", "#8fb1f2", "#f2b705", "#7a7a7a"];
const UPSTREAM = "#b9b9b9";
const MET = "#1a7f37";
const MISSED = "#cf222e";
const LABEL_LENGTH_MAX = 58;
const TITLE_LENGTH_MAX = 105;
/** Texts behind bars stay readable where the line of a goal crosses them. */
const READABLE = 'paint-order="stroke" stroke="white" stroke-width="4"';

const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");
const shortened = (text) => (text.length > LABEL_LENGTH_MAX ? `${text.slice(0, LABEL_LENGTH_MAX - 1)}…` : text);

/**
 * An SVG with a bar for each figure. Bars of one unit are as long as their figures are beside each other; upstream's is grey below
 * them, and a line across says where the goal is.
 */
export function plot({ name, about, rows, targets, headlines = {} }) {
  const shown = targets.slice(0, COLOURS.length);
  const drawn = rows.map((row) => ({ ...row, ...standing(row, targets[0], headlines[row.what]) }));
  const longest = longestByUnit(drawn, shown);
  const [parts, lines, texts] = [[], [], []];
  let y = TOP;
  for (const row of drawn) {
    const length = (value) => Math.max(1, ((WIDTH - LABEL_WIDTH - TEXT_WIDTH) * value) / longest.get(row.unit));
    const top = y;
    parts.push(text(LABEL_WIDTH - 8, y + BAR_HEIGHT - 3, shortened(row.what), 'text-anchor="end"'));
    const bars = shown.map((target, i) => [row.figures[target]?.value, COLOURS[i], ""]);
    for (const [value, colour, of] of [...bars, [row.upstream, UPSTREAM, " upstream"]]) {
      if (value === undefined) continue;
      parts.push(bar(LABEL_WIDTH, y, length(value), BAR_HEIGHT, colour));
      texts.push(
        text(LABEL_WIDTH + length(value) + 6, y + BAR_HEIGHT - 3, `${value.toLocaleString("en")} ${row.unit}${of}`, READABLE),
      );
      y += BAR_HEIGHT + 2;
    }
    if (row.goal !== undefined)
      lines.push(bar(LABEL_WIDTH + length(row.goal) - 1, top - 2, 2, y - top + 2, row.isMet ? MET : MISSED));
    y += ROW_GAP;
  }
  const title = `${name}: ${about.split(/[.:] /)[0].replace(/\.$/, "")}`;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="white"/>
${text(12, 20, title.length > TITLE_LENGTH_MAX ? `${title.slice(0, TITLE_LENGTH_MAX - 1)}…` : title, 'font-size="14" font-weight="bold"')}
${[...legend(shown, drawn), ...parts, ...lines, ...texts].join("\n")}
</svg>
`;
}

function longestByUnit(rows, targets) {
  const longest = new Map();
  for (const row of rows) {
    const values = [...targets.map((target) => row.figures[target]?.value), row.upstream, row.goal];
    const most = Math.max(Number.MIN_VALUE, ...values.filter((value) => value !== undefined));
    longest.set(row.unit, Math.max(longest.get(row.unit) ?? 0, most));
  }
  return longest;
}

function legend(targets, rows) {
  const entries = targets.map((target, i) => [COLOURS[i], target]);
  if (rows.some(({ upstream }) => upstream !== undefined)) entries.push([UPSTREAM, "upstream"]);
  if (rows.some(({ isMet }) => isMet === true)) entries.push([MET, "goal, met"]);
  if (rows.some(({ isMet }) => isMet === false)) entries.push([MISSED, "goal, missed"]);
  return entries.map(([colour, what], i) => `${bar(12 + i * 170, 30, 10, 10, colour)}${text(27 + i * 170, 39, what)}`);
}

function bar(x, y, width, height, colour) {
  return `<rect x="${x.toFixed(1)}" y="${y}" width="${width.toFixed(1)}" height="${height}" fill="${colour}"/>`;
}

function text(x, y, content, more = "") {
  return `<text x="${x.toFixed(1)}" y="${y}"${more === "" ? "" : ` ${more}`}>${escaped(content)}</text>`;
}
