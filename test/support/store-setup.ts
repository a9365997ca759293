import { Etcd, etcdVersions } from "./etcd.ts";
import { SHARED_ETCD, testStore } from "./store-choice.ts";

/** Starts the etcd that all tests of a run on etcd share, each server under a prefix of its own; nothing in other runs. */
export async function setup(): Promise<(() => Promise<void>) | undefined> {
  if (testStore !== "etcd") return undefined;
  // The newest one that is there, unless another is asked for: it can be asked for the progress of watches, and need not send all
  // that happens to every server.
  const newest = process.env.KYBERN_TEST_ETCD === undefined ? etcdVersions.at(-1) : undefined;
  const etcd = await Etcd.start({ args: ["--unsafe-no-fsync"], ...(newest && { version: newest }) });
  process.env[SHARED_ETCD] = etcd.urls.join(",");
  return () => etcd[Symbol.asyncDispose]();
}
