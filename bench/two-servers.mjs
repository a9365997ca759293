// Starts `two-api-servers.ts` as a process of its own.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { bundle } from "./bundle.mjs";
import { ours } from "./leftovers.mjs";

const nodeArgs = (process.env.KYBERN_NODE_ARGS ?? "").split(" ").filter((arg) => arg !== "");

/** Gives both servers as `{ pid, port, ca, cert, key }`: the open one, then the one that asks. */
export async function startTwoServers(args) {
  const { path, remove } = await bundle("two-api-servers");
  const child = ours(spawn(process.execPath, [...nodeArgs, path, ...args], { stdio: ["ignore", "pipe", "inherit"] }));
  const exited = new Promise((resolve) => child.once("exit", resolve));
  const said = createInterface({ input: child.stdout });
  const line = await Promise.race([new Promise((resolve) => said.once("line", resolve)), exited]);
  remove();
  if (typeof line !== "string") throw new Error(`the servers ended with ${line}`);
  const { ports, ...credentials } = JSON.parse(line);
  return {
    servers: ports.map((port) => ({ pid: child.pid, port, ...credentials })),
    async stop() {
      child.kill("SIGTERM");
      await exited;
    },
  };
}
