import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** What a real v1.36.2 answered; beside the project, and not part of it. */
export const recordedDir: string = join(root, "../shared/upstream/recorded");
export const hasRecorded: boolean = existsSync(join(recordedDir, "lib.mjs"));

const failingFile = join(root, "test/conformance/recorded-failing.txt");

/** One recorded case, of which this project only needs to know where it belongs. */
export interface RecordedCase {
  readonly id: string;
  readonly area: string;
  readonly title: string;
  readonly want: unknown;
  readonly ignore?: readonly string[];
}

interface Replayer {
  Target: new (options: { server: string; ca: string; cert: string; key: string }) => unknown;
  runCase(target: unknown, recorded: RecordedCase, run: string): Promise<unknown>;
  diff(want: unknown, got: unknown, ignore: readonly string[]): readonly { path: string; want: unknown; got: unknown }[];
}

/** All cases, by area. */
export function readCases(): Map<string, RecordedCase[]> {
  const areas = new Map<string, RecordedCase[]>();
  for (const name of readdirSync(recordedDir)
    .filter((file) => file.endsWith(".jsonl"))
    .sort()) {
    for (const line of readFileSync(join(recordedDir, name), "utf8").split("\n")) {
      if (line === "") continue;
      const recorded = JSON.parse(line) as RecordedCase;
      const list = areas.get(recorded.area);
      if (list) list.push(recorded);
      else areas.set(recorded.area, [recorded]);
    }
  }
  return areas;
}

/** Cases that do not pass yet: by id, why. */
export function readFailing(): Map<string, string> {
  const lines = readFileSync(failingFile, "utf8").split("\n");
  return new Map(
    lines.flatMap((line) => {
      const [id = "", ...reason] = line.split(" # ");
      return id === "" || id.startsWith("#") ? [] : [[id.trim(), reason.join(" # ")] as const];
    }),
  );
}

/** Writes the list anew; reasons of cases that stay on it are kept. */
export function writeFailing(ids: Iterable<string>): void {
  const head =
    "# Recorded cases that do not pass yet, one id a line with the reason. The list only shrinks: `npm run recorded` writes it anew.\n";
  const reasons = readFailing();
  const lines = [...ids].sort().map((id) => (reasons.get(id) ? `${id} # ${reasons.get(id)}` : id));
  writeFileSync(failingFile, `${head}${lines.join("\n")}\n`);
}

/** Runs cases against one server, a bounded number at a time, and tells which differ and how. */
export async function replay(
  server: { url: string; ca: string; cert: string; key: string },
  cases: readonly RecordedCase[],
  jobs: number,
): Promise<Map<string, string>> {
  const { Target, runCase, diff } = (await import(join(recordedDir, "lib.mjs"))) as Replayer;
  const target = new Target({ server: server.url, ca: server.ca, cert: server.cert, key: server.key });
  const stamp = Date.now().toString(36).slice(-5);
  const failures = new Map<string, string>();
  const todo = [...cases];
  const worker = async (): Promise<void> => {
    for (let next = todo.shift(); next !== undefined; next = todo.shift()) {
      try {
        const differences = diff(next.want, await runCase(target, next, stamp), next.ignore ?? []);
        if (differences.length > 0)
          failures.set(
            next.id,
            differences
              .slice(0, 3)
              .map((d) => `${d.path}: want ${JSON.stringify(d.want)?.slice(0, 300)} got ${JSON.stringify(d.got)?.slice(0, 300)}`)
              .join("\n"),
          );
      } catch (error) {
        failures.set(next.id, String(error));
      }
    }
  };
  await Promise.all(Array.from({ length: jobs }, worker));
  return failures;
}
