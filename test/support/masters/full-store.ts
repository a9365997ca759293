import type { ConfigMap } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { eventually } from "../kubectl.ts";
import type { Masters } from "./masters.ts";
import type { Trial } from "./trial.ts";

const CONFIG_MAPS = { group: "", version: "v1", resource: "configmaps" };
const NAMESPACE = "default";
/** Characters of each object that fills the store: nearly as many as one request may have. */
const FILLING = "x".repeat(900_000);
/** etcd's space in this fault: several times what a small cluster needs. */
export const SMALL_QUOTA_BYTES: number = 24 * 1024 * 1024;
const FILLINGS_MAX = 100;
/** Until there is no more space: some two dozen writes. */
const FILLED_MS = 240_000;
const RECOVERY_MS = 120_000;

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
  const isFull = ({ message }: StatusError): boolean => message.includes("space");
  let made: string | undefined;
  let refusal: StatusError | undefined;
  // On a slow machine something else may fail first; only that there is no more space ends it.
  await eventually(
    async () => {
      const name = `filling-${names.length}`;
      const object: ConfigMap = { apiVersion: "v1", kind: "ConfigMap", metadata: { name }, data: { FILLING } };
      names.push(name);
      refusal = await client.create(CONFIG_MAPS, NAMESPACE, object).then(
        () => {
          made ??= name;
          return undefined;
        },
        (error: unknown) => {
          if (error instanceof StatusError && isFull(error)) return error;
          throw error;
        },
      );
      return refusal !== undefined || names.length >= FILLINGS_MAX;
    },
    FILLED_MS,
    "the store is full",
  );
  if (refusal === undefined) throw new Error("the store does not fill");
  const ready = await Promise.all(masters.apiServers.map((_, i) => readiness(masters, i)));
  // Reads and deletions go on.
  await client.list(CONFIG_MAPS, NAMESPACE, { limit: 1 });
  await client.get(CONFIG_MAPS, NAMESPACE, made ?? "");
  for (const name of names) await client.delete(CONFIG_MAPS, NAMESPACE, name).catch(isGone);
  client.close();
  // What an etcd's administrator does, by its documentation.
  await masters.compact("--physical");
  await masters.ctl("defrag");
  await masters.ctl("alarm", "disarm");
  const recovery = await trial.progress(5, RECOVERY_MS);
  await trial.deployments.scale();
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

/** It was never made: its creation failed. */
function isGone(error: unknown): void {
  if (!(error instanceof StatusError) || error.code !== 404) throw error;
}
