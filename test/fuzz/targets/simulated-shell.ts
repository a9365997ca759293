import { behaviourOf } from "#cri/fake/behaviour.ts";
import { decodeMembers, encodeMember, TAR_END, type TarMember } from "#cri/fake/commands/tar-format.ts";
import { FileError, MemoryFiles } from "#cri/fake/memory-files.ts";
import { calculate } from "#cri/fake/shell/arithmetic.ts";
import { parseScript } from "#cri/fake/shell/syntax.ts";
import { ShellSyntaxError } from "#cri/fake/shell/words.ts";
import { check, type FuzzTarget, refusing } from "../target.ts";

const member: TarMember = { name: "a/b", type: "file", mode: 0o644, mtimeMs: 1000, data: Buffer.from("content") };
const archive = Buffer.concat([
  encodeMember({ ...member, name: "a", type: "directory", data: Buffer.alloc(0) }),
  encodeMember(member),
  encodeMember({ ...member, name: "l".repeat(200), type: "link", data: Buffer.from("a/b") }),
  TAR_END,
]);

/** What is read of an archive comes back when it is written and read again. */
function tar(bytes: Buffer): void {
  const members = refusing([Error], () => [...decodeMembers(bytes)]) ?? [];
  for (const { name, data } of members) {
    if (name === "" || name.includes("\0") || name.length > 4096) continue;
    const again = refusing([Error], () => [...decodeMembers(encodeMember({ ...member, name, data }))]);
    check(again?.[0]?.name === name && again[0].data.equals(data), "an archive's member does not come back");
  }
}

/** Paths lead where they lead, however they are written. */
function paths(text: string): void {
  const files = new MemoryFiles(0);
  const lines = text.split("\n").slice(0, 50);
  for (const [i, line] of lines.entries()) {
    refusing([FileError], () => {
      if (i % 3 === 0) files.makeDirectory(line, 0, true);
      else if (i % 3 === 1) files.link(line, lines[i + 1] ?? "", 0);
      else files.write(line, Buffer.from(line), 0);
    });
    const resolved = refusing([FileError], () => files.resolve(line, true));
    if (resolved === undefined || resolved.length > 4096) continue;
    check(files.find(resolved) === files.find(line), `${resolved} is not what it was resolved from`);
  }
}

/** What users with a right to `exec` and `cp` send to simulated containers: scripts, sums, archives and paths. */
export const target: FuzzTarget = {
  seeds: [
    // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the shell that reads it.
    "for x in a \"b $c\" 'd'; do if [ $x = a ] && ! false; then echo ${x:-y} $(date) `id` > /f 2>&1; else (exit 3) & fi; done",
    "while read -r a; do { cat < /f | grep -v x; } >> /g; done; until true; do :; done # end\n",
    "i=$((i + 2 * (3 - -4) % 5 <= 6 && !x || 7 / 1))",
    "1 + (2 * -a) == 3 || b != 4",
    "$(".repeat(50),
    "sleep 5; exit 3",
    "/a/b\n/c\n/a\n/a/../c/./d\n/l\nl\n/l/x",
    archive,
  ],
  run: (bytes) => {
    const text = bytes.toString("utf8");
    refusing([ShellSyntaxError], () => parseScript(text));
    refusing([ShellSyntaxError], () => calculate(text, () => "1"));
    const { runMs } = behaviourOf({ name: "a", command: ["sh", "-c", text], args: [], labels: {}, annotations: {} });
    check(runMs === undefined || (runMs >= 0 && runMs < 2 ** 31), `a container would run for ${runMs} ms`);
    tar(bytes);
    paths(text);
  },
};
