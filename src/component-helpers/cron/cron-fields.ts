const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

interface Bounds {
  readonly min: number;
  readonly max: number;
  /** Words for the numbers from `min` on. */
  readonly names: readonly string[];
}

const MINUTE: Bounds = { min: 0, max: 59, names: [] };
const HOUR: Bounds = { min: 0, max: 23, names: [] };
const DAY: Bounds = { min: 1, max: 31, names: [] };
const MONTH: Bounds = { min: 1, max: 12, names: MONTHS };
const WEEKDAY: Bounds = { min: 0, max: 6, names: DAYS };

/** The numbers that one field of a schedule allows. */
export interface CronField {
  readonly values: ReadonlySet<number>;
  /** Says nothing: `*` or `?`. */
  readonly star: boolean;
}

/** The five fields of a schedule. Months count from 1, weekdays from Sunday, which is 0. */
export interface CronFields {
  readonly minute: CronField;
  readonly hour: CronField;
  readonly day: CronField;
  readonly month: CronField;
  readonly weekday: CronField;
}

/** Reads five fields between white space; throws what `robfig/cron` v3 says of those that it cannot read. */
export function parseCronFields(text: string): CronFields {
  const fields = text.split(/\s+/).filter((field) => field !== "");
  const [minute = "", hour = "", day = "", month = "", weekday = ""] = fields;
  if (fields.length !== 5) throw new Error(`expected exactly 5 fields, found ${fields.length}: [${fields.join(" ")}]`);
  return {
    minute: parseField(minute, MINUTE),
    hour: parseField(hour, HOUR),
    day: parseField(day, DAY),
    month: parseField(month, MONTH),
    weekday: parseField(weekday, WEEKDAY),
  };
}

function parseField(text: string, bounds: Bounds): CronField {
  const values = new Set<number>();
  let star = false;
  for (const part of text.split(",").filter((range) => range !== "")) {
    const { start, end, step, any } = parseRange(part, bounds);
    if (any && step === 1) star = true;
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return { values, star };
}

interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
  /** Begins with `*` or `?`. */
  readonly any: boolean;
}

/** `*`, `5`, `1-5` or `mon-fri`, each with `/step` or without. */
function parseRange(text: string, bounds: Bounds): Range {
  const [ends = "", stepText, ...tooManySteps] = text.split("/");
  const [low = "", high, ...tooManyEnds] = ends.split("-");
  const any = low === "*" || low === "?";
  const start = any ? bounds.min : parseNamed(low, bounds);
  let end = any ? bounds.max : start;
  if (!any && high !== undefined) {
    if (tooManyEnds.length > 0) throw new Error(`too many hyphens: ${text}`);
    end = parseNamed(high, bounds);
  }
  if (tooManySteps.length > 0) throw new Error(`too many slashes: ${text}`);
  const step = stepText === undefined ? 1 : parseNumber(stepText);
  // A step after a single number goes on to the greatest.
  if (stepText !== undefined && high === undefined) end = bounds.max;
  if (start < bounds.min) throw new Error(`beginning of range (${start}) below minimum (${bounds.min}): ${text}`);
  if (end > bounds.max) throw new Error(`end of range (${end}) above maximum (${bounds.max}): ${text}`);
  if (start > end) throw new Error(`beginning of range (${start}) beyond end of range (${end}): ${text}`);
  if (step === 0) throw new Error(`step of range should be a positive number: ${text}`);
  return { start, end, step, any };
}

function parseNamed(text: string, { min, names }: Bounds): number {
  const index = names.indexOf(text.toLowerCase());
  return index < 0 ? parseNumber(text) : index + min;
}

function parseNumber(text: string): number {
  if (!/^[+-]?\d+$/.test(text)) {
    throw new Error(`failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax`);
  }
  const value = Number(text);
  if (value < 0) throw new Error(`negative number (${value}) not allowed: ${text}`);
  return value;
}
