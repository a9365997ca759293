import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Runs with KYBERN_TEST_STORE (memory, lmdb, etcd) put the clusters of all tests on that store.
const cluster = fileURLToPath(new URL("test/support/cluster.ts", import.meta.url));
const alias = process.env.KYBERN_TEST_STORE ? { "#envtest/envtest.ts": cluster } : {};
const globalSetup = ["test/support/store-setup.ts"];
/** What runs whole programs in its own process does not pass over their mistakes. */
const setupFiles = ["test/support/no-defects.ts"];
const resolve = { conditions: ["source"], alias };
const ssr = { resolve: { conditions: ["source"] } };

const cores = availableParallelism();
/** Most files wait for something most of the time: as many run at once as there are cores. */
const together = { maxWorkers: cores, sequence: { groupOrder: 0 } };
/** Real containers, and machines made of namespaces. */
const ownMachines = { maxWorkers: cores, sequence: { groupOrder: 1 } };
/** What measures how soon something is done, or what it costs, runs by itself and last. */
const alone = { maxWorkers: 1, sequence: { groupOrder: 2 } };
/** What runs for minutes. */
const forLong = { maxWorkers: 1, sequence: { groupOrder: 3 } };
const TIMED = ["test/ratios/**/*.test.ts", "test/hosts/{masters,programs,vulnerabilities-floods}.test.ts"];

export default defineConfig({
  test: {
    projects: [
      // Unit tests share nothing but pure modules, which need not be loaded for each file.
      { resolve, ssr, test: { ...together, name: "unit", include: ["src/**/*.test.ts"], isolate: false, testTimeout: 30_000 } },
      { resolve, ssr, test: { ...together, name: "architecture", include: ["test/architecture/**/*.test.ts"] } },
      {
        resolve,
        ssr,
        test: {
          ...together,
          name: "integration",
          include: ["test/{integration,docs}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          globalSetup,
          setupFiles,
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...together,
          name: "property",
          include: ["test/{property,fuzz}/**/*.test.ts"],
          testTimeout: 60_000,
          globalSetup,
          setupFiles,
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...together,
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 60_000,
          globalSetup,
          setupFiles,
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...together,
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 60_000,
          globalSetup,
          setupFiles,
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...ownMachines,
          name: "hosts",
          include: ["test/hosts/**/*.test.ts"],
          exclude: TIMED,
          testTimeout: 240_000,
          hookTimeout: 60_000,
          globalSetup,
          setupFiles,
        },
      },
      {
        resolve,
        ssr,
        test: {
          ...alone,
          name: "timed",
          include: TIMED,
          testTimeout: 240_000,
          hookTimeout: 60_000,
          globalSetup,
          setupFiles,
        },
      },
      // Takes as long as it is told to; `npm run test:soak` tells it.
      ...(process.env.KYBERN_SOAK_MINUTES
        ? [{ resolve, ssr, test: { ...forLong, name: "soak", include: ["test/soak/**/*.test.ts"], globalSetup, setupFiles } }]
        : []),
    ],
  },
});
