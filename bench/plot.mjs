// Draws the rows of one workload as bars, a colour for each target, as a picture that stands alone.

const WIDTH = 860;
const LABEL_WIDTH = 330;
const BAR_HEIGHT = 14;
const ROW_GAP = 10;
const TOP = 54;
const COLOURS = ["#326ce5", "#8fb1f2", "#f2b705", "#7a7a7a"];

const escaped = (text) => String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** An SVG with a bar for each figure, as long as it is in comparison with the longest of its row. */
export function plot({ title, rows, targets }) {
  const shown = targets.slice(0, COLOURS.length);
  const parts = [];
  let y = TOP;
  for (const row of rows) {
    const values = shown.map((target) => row.figures[target]?.value);
    const most = Math.max(...values.filter((value) => value !== undefined), Number.MIN_VALUE);
    parts.push(`<text x="${LABEL_WIDTH - 8}" y="${y + BAR_HEIGHT - 3}" text-anchor="end">${escaped(row.what)}</text>`);
    for (const [i, value] of values.entries()) {
      if (value === undefined) continue;
      const width = Math.max(1, ((WIDTH - LABEL_WIDTH - 130) * value) / most);
      parts.push(`<rect x="${LABEL_WIDTH}" y="${y}" width="${width.toFixed(1)}" height="${BAR_HEIGHT}" fill="${COLOURS[i]}"/>`);
      const text = `${value.toLocaleString("en")} ${row.unit}`;
      parts.push(`<text x="${(LABEL_WIDTH + width + 6).toFixed(1)}" y="${y + BAR_HEIGHT - 3}">${escaped(text)}</text>`);
      y += BAR_HEIGHT + 2;
    }
    y += ROW_GAP;
  }
  const legend = shown.map(
    (target, i) =>
      `<rect x="${LABEL_WIDTH + i * 170}" y="28" width="10" height="10" fill="${COLOURS[i]}"/>` +
      `<text x="${LABEL_WIDTH + 15 + i * 170}" y="37">${escaped(target)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH}" height="${y}" font-family="sans-serif" font-size="12">
<title>${escaped(title)}</title>
<rect width="100%" height="100%" fill="white"/>
<text x="12" y="20" font-size="15" font-weight="bold">${escaped(title)}</text>
${[...legend, ...parts].join("\n")}
</svg>
`;
}
