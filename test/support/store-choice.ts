/** The stores that the suites run on. */
export const TEST_STORES = ["memory", "lmdb", "etcd"] as const;

/** One of {@link TEST_STORES}. */
export type TestStore = (typeof TEST_STORES)[number];

/**
 * What `KYBERN_TEST_STORE` says: on which store every server runs that a test starts without caring for its store. When absent
 * servers in the test's own process are in memory, and programs on their own store in the data directory.
 */
export const testStore: TestStore | undefined = chosen(process.env.KYBERN_TEST_STORE);

/** Where the setup of a run on etcd leaves the addresses of the one that all its tests share. */
export const SHARED_ETCD = "KYBERN_TEST_ETCD_URLS";

function chosen(name: string | undefined): TestStore | undefined {
  if (name === undefined || name === "") return undefined;
  const found = TEST_STORES.find((store) => store === name);
  if (found === undefined) throw new Error(`KYBERN_TEST_STORE is one of ${TEST_STORES.join(", ")}, not "${name}"`);
  return found;
}

/** Whether the run is on another store than these, so that a test about one of them is skipped; its name says so. */
export function isOnOtherStoreThan(...stores: readonly TestStore[]): boolean {
  return testStore !== undefined && !stores.includes(testStore);
}
