import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

// Runs with KYBERN_TEST_STORE (memory, lmdb, etcd) put the clusters of all tests on that store.
const cluster = fileURLToPath(new URL("test/support/cluster.ts", import.meta.url));
const alias = process.env.KYBERN_TEST_STORE ? { "#envtest/envtest.ts": cluster } : {};
const globalSetup = ["test/support/store-setup.ts"];
const resolve = { conditions: ["source"], alias };
const ssr = { resolve: { conditions: ["source"] } };

export default defineConfig({
  test: {
    projects: [
      // Unit tests share nothing but pure modules, which need not be loaded for each file.
      { resolve, ssr, test: { name: "unit", include: ["src/**/*.test.ts"], isolate: false } },
      { resolve, ssr, test: { name: "architecture", include: ["test/architecture/**/*.test.ts"] } },
      {
        resolve,
        ssr,
        test: {
          name: "integration",
          include: ["test/{integration,docs}/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          globalSetup,
        },
      },
      {
        resolve,
        ssr,
        test: { name: "property", include: ["test/{property,fuzz}/**/*.test.ts"], testTimeout: 60_000, globalSetup },
      },
      {
        resolve,
        ssr,
        test: {
          name: "conformance",
          include: ["test/conformance/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 60_000,
          globalSetup,
        },
      },
      {
        resolve,
        ssr,
        test: { name: "e2e", include: ["test/e2e/**/*.test.ts"], testTimeout: 240_000, hookTimeout: 60_000, globalSetup },
      },
    ],
  },
});
