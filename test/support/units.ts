import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What systemd is told by a unit of a service. */
export interface ServiceUnit {
  readonly environment: Readonly<Record<string, string>>;
  /** Run before, one after the other; `mayFail` as a `-` before the program says. */
  readonly startPre: readonly { readonly command: readonly string[]; readonly mayFail: boolean }[];
  readonly start: readonly string[];
  readonly restart: string;
  readonly restartMs: number;
}

/** Reads a unit, with a guide's variables filled in. */
export function serviceUnit(text: string, variables: Readonly<Record<string, string>> = {}): ServiceUnit {
  const settings = fillIn(text, variables)
    .replaceAll("\\\n", " ")
    .split("\n")
    .map((line) => /^(\w+)=(.*)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, name = "", value = ""]) => ({ name, value }));
  const all = (wanted: string): string[] => settings.filter(({ name }) => name === wanted).map(({ value }) => value);
  const environment = all("Environment")
    .flatMap(words)
    .map((setting) => [setting.slice(0, setting.indexOf("=")), setting.slice(setting.indexOf("=") + 1)] as const);
  return {
    environment: Object.fromEntries(environment),
    startPre: all("ExecStartPre").map((line) => ({ command: words(line.replace(/^-/, "")), mayFail: line.startsWith("-") })),
    start: words(all("ExecStart")[0] ?? ""),
    restart: all("Restart")[0] ?? "no",
    restartMs: Number(all("RestartSec")[0] ?? 0.1) * 1000,
  };
}

/** Words of a line, which quotes hold together. */
function words(line: string): string[] {
  return [...line.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(([, double, single, plain]) => double ?? single ?? plain ?? "");
}

/** Puts values in the places that a guide leaves to its reader; others stay as they are. */
export function fillIn(text: string, variables: Readonly<Record<string, string>>): string {
  return text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (whole, braced, bare) => variables[braced ?? bare] ?? whole);
}

/** What a systemd unit of the guide `systemd` starts: the program's name, and its arguments with the guide's variables filled in. */
export function execStart(unit: string, variables: Readonly<Record<string, string>>): { program: string; args: string[] } {
  const path = fileURLToPath(new URL(`./guides/systemd/${unit}.service`, import.meta.url));
  const [program = "", ...args] = serviceUnit(readFileSync(path, "utf8"), variables).start;
  return { program, args };
}
