// Loaded into a program before its own code: when SIGUSR2 comes, writes down what the program holds, at the path of LOOK_INSIDE.
const { writeFileSync, renameSync } = require("node:fs");
const { Socket } = require("node:net");
const v8 = require("node:v8");
const { runInNewContext } = require("node:vm");

v8.setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc");
const timer = setTimeout(() => undefined, 0);
const Timeout = timer.constructor;
clearTimeout(timer);
const KINDS = { timers: Timeout, sockets: Socket, promises: Promise, signals: AbortSignal, maps: Map };

process.on("SIGUSR2", () => {
  collect();
  const held = Object.fromEntries(
    Object.entries(KINDS).map(([name, kind]) => [name, v8.queryObjects(kind, { format: "count" })]),
  );
  const { heapUsed, external, rss } = process.memoryUsage();
  const path = process.env.LOOK_INSIDE;
  writeFileSync(`${path}.new`, JSON.stringify({ ...held, heapUsed, external, rss }));
  renameSync(`${path}.new`, path);
});
