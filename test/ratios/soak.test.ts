import { expect, test } from "vitest";
import { changes, forgetfulCluster, until, visitors } from "../soak/busy.ts";
import { heldBytes, say } from "./cost.ts";

/** What keeps a process alive, by kind: sockets, timers and the like. */
const handles = (): number => process.getActiveResourcesInfo().filter((kind) => /Wrap$/.test(kind)).length;

// Measured: 30 to 50 bytes a change, and 1,200 a visitor. A change that is kept is 1,500, a watch 6,200, a connection 50,000.
test("changes and visitors leave nothing behind", async () => {
  await using cluster = await forgetfulCluster(0);
  await changes(cluster, 1_000);
  await visitors(cluster, 20);
  const open = handles();
  // What is under way just then belongs to neither: the least of three samples counts.
  const grown = async (work: () => Promise<void>, count: number): Promise<number> => {
    const samples: number[] = [];
    for (let round = 0; round < 8; round++) {
      await work();
      samples.push(await heldBytes());
    }
    return (Math.min(...samples.slice(-3)) - Math.min(...samples.slice(0, 3))) / (5 * count);
  };
  const ofChange = await grown(() => changes(cluster, 200), 4 * 200);
  const ofVisitor = await grown(() => visitors(cluster, 10), 2 * 10);
  await until(async () => handles() <= open);
  say(ofChange, ofVisitor);
  expect(ofChange).toBeLessThan(400);
  expect(ofVisitor).toBeLessThan(4_000);
}, 120_000);
