import type { PersistentVolumeClaim, Pod } from "#api/generated/core/v1.ts";
import type { Client } from "#client/client.ts";
import { PODS } from "../../framework/resources.ts";
import { claimNamesOf, usesClaim } from "./reconcile.ts";

/**
 * The pods of a namespace as the server knows them: one may have been bound that the mirror does not show yet. They are listed
 * when the first claim is asked about, and once for all of them. Upstream's `LazyLivePodList`.
 */
export class LivePods {
  readonly #client: Client;
  readonly #namespace: string;
  #byClaim: Promise<ReadonlyMap<string, readonly Pod[]>> | undefined;

  constructor(client: Client, namespace: string) {
    this.#client = client;
    this.#namespace = namespace;
  }

  /** Whether any of them uses a claim, which must be of their namespace. */
  async use(claim: PersistentVolumeClaim): Promise<boolean> {
    this.#byClaim ??= this.#list();
    const pods = (await this.#byClaim).get(claim.metadata.name ?? "") ?? [];
    return pods.some((pod) => usesClaim(pod, claim));
  }

  async #list(): Promise<ReadonlyMap<string, readonly Pod[]>> {
    const byClaim = new Map<string, Pod[]>();
    for (const pod of (await this.#client.list<Pod>(PODS, this.#namespace)).items) {
      for (const name of claimNamesOf(pod)) {
        const pods = byClaim.get(name);
        if (pods === undefined) byClaim.set(name, [pod]);
        else pods.push(pod);
      }
    }
    return byClaim;
  }
}
