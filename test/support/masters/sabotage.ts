import type { Lease } from "#api/generated/coordination/v1.ts";
import type { ConfigMap, Pod } from "#api/generated/core/v1.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { formatMicroTime } from "#apimachinery/meta/time.ts";
import { realClock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { loadKubeconfig } from "#client/kubeconfig.ts";
import { createRestClient } from "#client/rest-client.ts";
import { eventually } from "../kubectl.ts";
import { settled } from "./last-state.ts";
import { CONFIG_MAPS, PODS, RECOVERY_MS } from "./seen.ts";
import type { Trial } from "./trial.ts";

const SECRETS: ResourceId = { group: "", version: "v1", resource: "secrets" };
const NODES: ResourceId = { group: "", version: "v1", resource: "nodes" };
const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** Calls of each client, so that there is something to spoil. */
const CALLS = 10;
/** Pods beyond those that are wanted. */
const SURPLUS = 2;

/** Does by hand what no program may do, and answers with what the judgement must say of each. */
export async function spoil(trial: Trial): Promise<readonly RegExp[]> {
  const client = trial.masters.client("balancer");
  const found = [
    ...(await lostAndForged(trial, client)),
    await surplus(trial, client),
    await actOfStandby(trial, client),
    await stolenLease(trial, client),
    await silentNode(client),
  ];
  client.close();
  return found;
}

/** An acknowledged write is lost in the store, and another has become something that nobody wrote. */
async function lostAndForged(trial: Trial, client: Client): Promise<readonly RegExp[]> {
  const { namespace, recording, masters } = trial.seen;
  const resting = async (): Promise<readonly ConfigMap[] | undefined> => {
    const earlier = new Set(recording.operations.keys());
    trial.nextRound();
    await trial.progress(CALLS, RECOVERY_MS);
    const { items } = await client.list<ConfigMap>(CONFIG_MAPS, namespace);
    const rest = items.filter(({ metadata }) => earlier.has(metadata?.name ?? ""));
    return rest.length < 2 ? undefined : rest;
  };
  const [lost, forged] = (await eventually(resting, RECOVERY_MS, "two objects are there that nobody calls any more")) ?? [];
  const nameOf = (object: ConfigMap | undefined): string => object?.metadata?.name ?? "";
  await masters.ctl("del", `/registry/configmaps/${namespace}/${nameOf(lost)}`);
  await client.update(CONFIG_MAPS, namespace, nameOf(forged), { ...forged, data: { value: "forged" } } as ConfigMap);
  return [lost, forged].map((object) => new RegExp(`^${nameOf(object)}: {"kind":"impossible"`, "m"));
}

/** More pods than anybody wanted. */
async function surplus({ seen }: Trial, client: Client): Promise<RegExp> {
  await settled(seen, client);
  for (let i = 0; i < SURPLUS; i++) {
    const metadata = { name: `surplus-${i}`, labels: { app: "d0" } };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: { containers: [{ name: "c", image: "i" }] } } as Pod;
    await client.create(PODS, seen.namespace, pod);
  }
  const isGone = (error: unknown): void => {
    // Its node was quicker.
    if (!(error instanceof StatusError) || error.code !== 404) throw error;
  };
  for (let i = 0; i < SURPLUS; i++) {
    await client.delete(PODS, seen.namespace, `surplus-${i}`, { gracePeriodSeconds: 0 }).catch(isGone);
  }
  return /^surplus-\d at \d+ was one of \d where 2 were wanted$/m;
}

/** A controller manager writes while another leads. */
async function actOfStandby(trial: Trial, client: Client): Promise<RegExp> {
  const { masters, namespace } = trial.seen;
  const leader = await trial.leaders.steady("kube-controller-manager", client, RECOVERY_MS);
  const standby = masters.managers.find((process) => process !== leader)?.name ?? "";
  const address = await loadKubeconfig(masters.path(`${standby}.kubeconfig`));
  const own = createRestClient({ ...address, userAgent: "masters-test", clock: realClock });
  await own.create(SECRETS, namespace, { apiVersion: "v1", kind: "Secret", metadata: { name: "of-a-standby" } });
  own.close();
  return new RegExp(`^${standby} did create secrets/.* where ${leader.name} led since \\d+$`, "m");
}

/** A scheduler takes the Lease while another holds it. */
async function stolenLease(trial: Trial, client: Client): Promise<RegExp> {
  const leader = await trial.leaders.steady("kube-scheduler", client, RECOVERY_MS);
  const thief = trial.masters.schedulers.find((process) => process !== leader)?.name ?? "";
  const steal = async (): Promise<boolean> => {
    const lease = await client.get<Lease>(LEASES, "kube-system", "kube-scheduler");
    const now = formatMicroTime(realClock.now());
    const spec = { ...lease.spec, holderIdentity: `${thief}_thief`, acquireTime: now, renewTime: now };
    await client.update(LEASES, "kube-system", "kube-scheduler", { ...lease, spec });
    return true;
  };
  await eventually(steal, RECOVERY_MS, "the Lease is stolen");
  // All goes on when its time is over.
  await trial.leaders.steady("kube-scheduler", client, RECOVERY_MS);
  return new RegExp(`^${thief}_thief took the Lease -?\\d+ ms after ${leader.name}_`, "m");
}

/** Somebody calls a node silent that is not. */
async function silentNode(client: Client): Promise<RegExp> {
  for (const status of ["Unknown", "True"]) {
    const patch = { status: { conditions: [{ type: "Ready", status }] } };
    await client.patch(NODES, "", "node-0", "application/strategic-merge-patch+json", patch, { subresource: "status" });
  }
  return /^node-0 was called Unknown$/m;
}
