// Adds to package-lock.json the optional packages of other platforms that a partial registry did not list. `npm ci`
// refuses a lock file without them, on every platform. Run it after `npm install` where that happens.
import { readFileSync, writeFileSync } from "node:fs";

const lock = JSON.parse(readFileSync("package-lock.json", "utf8"));
const platform = /(?<os>android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(?<cpu>[a-z0-9]+)/u;
let added = 0;
for (const entry of Object.values(lock.packages)) {
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    const found = platform.exec(name)?.groups;
    if (lock.packages[path] !== undefined || found === undefined) continue;
    lock.packages[path] = {
      version,
      cpu: [found.cpu],
      ...(entry.dev === true && { dev: true }),
      optional: true,
      os: [found.os],
      ...(name.endsWith("-musl") && { libc: ["musl"] }),
    };
    added++;
  }
}
lock.packages = Object.fromEntries(Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)));
writeFileSync("package-lock.json", `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} packages added\n`);
