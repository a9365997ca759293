import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a systemd unit of a guide starts: the program's name, and its arguments with the guide's variables filled in. */
export function execStart(unit: string, variables: Readonly<Record<string, string>>): { program: string; args: string[] } {
  const path = fileURLToPath(new URL(`./guides/systemd/${unit}.service`, import.meta.url));
  const line = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(readFileSync(path, "utf8"))?.[1] ?? "";
  const filled = line.replaceAll("\\\n", " ").replace(/\$\{(\w+)\}/g, (_, name) => variables[name] ?? "");
  const [program = "", ...args] = filled.split(/\s+/).filter(Boolean);
  return { program, args };
}
