import type { Deployment } from "#api/generated/apps/v1.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import type { Wanted } from "../history/replicas.ts";
import { eventually } from "../kubectl.ts";
import type { Masters } from "./masters.ts";
import { RECOVERY_MS } from "./seen.ts";

const DEPLOYMENTS: ResourceId = { group: "apps", version: "v1", resource: "deployments" };
const COUNT = 3;
const REPLICAS_MAX = 6;
const REPLICAS_FIRST = 2;

/** Deployments of a trial, whose numbers of pods are changed while faults are made. */
export class ScaledDeployments {
  /** What each was told to have, one after the other. */
  readonly wanted: Map<string, Wanted[]> = new Map();
  readonly #masters: Masters;
  readonly #namespace: string;
  readonly #random: Random;
  #scaling: Promise<void> = Promise.resolve();

  constructor(masters: Masters, namespace: string, random: Random) {
    this.#masters = masters;
    this.#namespace = namespace;
    this.#random = random;
  }

  async create(client: Client): Promise<void> {
    for (let i = 0; i < COUNT; i++) {
      await client.create(DEPLOYMENTS, this.#namespace, deployment(`d${i}`, REPLICAS_FIRST));
      this.wanted.set(`d${i}`, [{ revision: 0, replicas: REPLICAS_FIRST }]);
    }
  }

  /** Sets another number of pods for one of the Deployments; what is not answered is asked again, as a user would. */
  scale(): Promise<void> {
    // One after another: what was asked last is what is wanted.
    this.#scaling = this.#scaling.then(() => this.#scale());
    return this.#scaling;
  }

  async #scale(): Promise<void> {
    const name = `d${this.#random.int(COUNT)}`;
    const replicas = this.#random.int(REPLICAS_MAX + 1);
    const client = this.#masters.client("balancer");
    let first: string | undefined;
    const attempt = async (): Promise<unknown> => {
      const { metadata } = await client.get<Deployment>(DEPLOYMENTS, this.#namespace, name);
      const { resourceVersion = "" } = metadata;
      first ??= resourceVersion;
      // By its version, so that one that was held up for long changes nothing.
      const patch = { metadata: { resourceVersion }, spec: { replicas } };
      return client.patch(DEPLOYMENTS, this.#namespace, name, "application/merge-patch+json", patch);
    };
    await eventually(attempt, RECOVERY_MS, `${name} is scaled`);
    client.close();
    this.wanted.get(name)?.push({ revision: Number(first), replicas });
  }
}

function deployment(name: string, replicas: number): Deployment {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, containers: [{ name: "c", image: "i" }] },
      },
    },
  } as Deployment;
}
