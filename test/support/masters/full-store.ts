import type { ConfigMap } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Masters } from "./masters.ts";
import type { Trial } from "./trial.ts";

const CONFIG_MAPS = { group: "", version: "v1", resource: "configmaps" };
const NAMESPACE = "default";
/** Characters of each object that fills the store: nearly as many as one request may have. */
const FILLING = "x".repeat(900_000);
/** etcd's space in this fault: several times what a small cluster needs. */
export const SMALL_QUOTA_BYTES: number = 24 * 1024 * 1024;
const FILLINGS_MAX = 100;
const RECOVERY_MS = 60_000;

/** What was seen while the store was full. */
export interface FullStore {
  readonly refusal: { readonly code: number; readonly message: string };
  /** What each server's `/readyz` said. */
  readonly ready: readonly unknown[];
  readonly fillings: number;
  readonly recovery: number;
}

/** Fills the store of masters that were started with {@link SMALL_QUOTA_BYTES}, looks what can still be done, and makes room as an administrator does. */
export async function fillStore(trial: Trial): Promise<FullStore> {
  const { masters } = trial;
  const client = masters.client("balancer");
  trial.nextRound();
  const names: string[] = [];
  let refusal: StatusError | undefined;
  while (refusal === undefined && names.length < FILLINGS_MAX) {
    const name = `filling-${names.length}`;
    const object: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { FILLING } };
    try {
      await client.create(CONFIG_MAPS, NAMESPACE, object);
      names.push(name);
    } catch (error) {
      if (!(error instanceof StatusError)) throw error;
      refusal = error;
    }
  }
  if (refusal === undefined) throw new Error("the store does not fill");
  const ready = await Promise.all(masters.apiServers.map((_, i) => readiness(masters, i)));
  // Reads and deletions go on.
  await client.list(CONFIG_MAPS, NAMESPACE, { limit: 1 });
  await client.get(CONFIG_MAPS, NAMESPACE, names[0] ?? "");
  for (const name of names) await client.delete(CONFIG_MAPS, NAMESPACE, name);
  client.close();
  makeRoom(masters);
  const recovery = await trial.progress(5, RECOVERY_MS);
  await trial.scale();
  return { refusal: { code: refusal.code, message: refusal.message }, ready, fillings: names.length, recovery };
}

async function readiness(masters: Masters, server: number): Promise<unknown> {
  const client = masters.client(server);
  try {
    return await client.raw("/readyz");
  } finally {
    client.close();
  }
}

/** What etcd's documentation tells administrators to do. */
function makeRoom(masters: Masters): void {
  const [status] = JSON.parse(masters.ctl("endpoint", "status", "--write-out=json")) as [
    { readonly Status: { readonly header: { readonly revision: number } } },
  ];
  masters.ctl("compact", "--physical", String(status.Status.header.revision));
  masters.ctl("defrag");
  masters.ctl("alarm", "disarm");
}
