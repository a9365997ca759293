import { parseGoDuration } from "#apimachinery/go-duration.ts";

/**
 * Checks of cron schedules as `robfig/cron` v3's standard parser reads them, with its messages.
 */

interface Bounds {
  readonly min: number;
  readonly max: number;
  readonly names: readonly string[];
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const FIELDS: readonly Bounds[] = [
  { min: 0, max: 59, names: [] },
  { min: 0, max: 23, names: [] },
  { min: 1, max: 31, names: [] },
  { min: 1, max: 12, names: MONTHS },
  { min: 0, max: 6, names: DAYS },
];
const DESCRIPTORS = new Set(["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"]);
const EVERY = "@every ";

/** What is wrong with a schedule; undefined when nothing is. `isTimeZone` knows the names of time zones. */
export function scheduleProblem(schedule: string, isTimeZone: (name: string) => boolean): string | undefined {
  if (schedule === "") return "empty spec string";
  let rest = schedule;
  const zone = /^(?:TZ|CRON_TZ)=([^ ]*)/.exec(schedule);
  if (zone) {
    const name = zone[1] ?? "";
    if (name !== "" && !isTimeZone(name)) return `provided bad location ${name}: unknown time zone ${name}`;
    rest = schedule.slice(zone[0].length).trim();
  }
  if (rest.startsWith("@")) return descriptorProblem(rest);
  const fields = rest.split(/\s+/).filter((field) => field !== "");
  if (fields.length !== FIELDS.length) {
    return `expected exactly ${FIELDS.length} fields, found ${fields.length}: [${fields.join(" ")}]`;
  }
  for (const [i, bounds] of FIELDS.entries()) {
    for (const part of (fields[i] ?? "").split(",").filter((text) => text !== "")) {
      const problem = rangeProblem(part, bounds);
      if (problem !== undefined) return problem;
    }
  }
  return undefined;
}

function descriptorProblem(text: string): string | undefined {
  if (DESCRIPTORS.has(text)) return undefined;
  if (!text.startsWith(EVERY)) return `unrecognized descriptor: ${text}`;
  const problem = durationProblem(text.slice(EVERY.length));
  return problem === undefined ? undefined : `failed to parse duration ${text}: ${problem}`;
}

function durationProblem(text: string): string | undefined {
  try {
    parseGoDuration(text);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

type Parsed = { readonly value: number } | { readonly problem: string };

function parseNumber(text: string): Parsed {
  if (!/^[+-]?\d+$/.test(text)) {
    return { problem: `failed to parse int from ${text}: strconv.Atoi: parsing ${JSON.stringify(text)}: invalid syntax` };
  }
  const value = Number(text);
  return value < 0 ? { problem: `negative number (${value}) not allowed: ${text}` } : { value };
}

function parseNamed(text: string, bounds: Bounds): Parsed {
  const index = bounds.names.indexOf(text.toLowerCase());
  return index < 0 ? parseNumber(text) : { value: index + bounds.min };
}

function rangeProblem(text: string, bounds: Bounds): string | undefined {
  const parts = text.split("/");
  const ends = (parts[0] ?? "").split("-");
  const single = ends.length === 1;
  let start: number;
  let end: number;
  if (ends[0] === "*" || ends[0] === "?") {
    start = bounds.min;
    end = bounds.max;
  } else {
    const first = parseNamed(ends[0] ?? "", bounds);
    if ("problem" in first) return first.problem;
    start = first.value;
    end = start;
    if (ends.length === 2) {
      const last = parseNamed(ends[1] ?? "", bounds);
      if ("problem" in last) return last.problem;
      end = last.value;
    } else if (ends.length > 2) return `too many hyphens: ${text}`;
  }
  let step = 1;
  if (parts.length === 2) {
    const parsed = parseNumber(parts[1] ?? "");
    if ("problem" in parsed) return parsed.problem;
    step = parsed.value;
    if (single) end = bounds.max;
  } else if (parts.length > 2) return `too many slashes: ${text}`;
  if (start < bounds.min) return `beginning of range (${start}) below minimum (${bounds.min}): ${text}`;
  if (end > bounds.max) return `end of range (${end}) above maximum (${bounds.max}): ${text}`;
  if (start > end) return `beginning of range (${start}) beyond end of range (${end}): ${text}`;
  return step === 0 ? `step of range should be a positive number: ${text}` : undefined;
}
