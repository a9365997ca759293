import { createHash } from "node:crypto";
import type { ClusterTrustBundle } from "#api/generated/certificates/v1beta1.ts";
import type { ClusterTrustBundleProjection } from "#api/generated/core/v1.ts";
import { labelSelectorFromObject } from "#apimachinery/labels/selector.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { MissingReferenceError } from "../inside/missing-reference.ts";
import { certificatesAsPem, certificatesOf } from "../podcertificate/pem-certificates.ts";

const BUNDLES: ResourceId = { group: "certificates.k8s.io", version: "v1beta1", resource: "clustertrustbundles" };
/** How long what was read holds, in milliseconds: many pods ask for the same. */
const FRESH_MS = 1000;

/**
 * The certificates that a `clusterTrustBundle` source asks for, each once, as PEM (upstream's `GetTrustAnchorsByName` and
 * `GetTrustAnchorsBySigner`). Their order follows from `salt` and says nothing, so that nobody relies on it.
 */
export function trustAnchors(source: ClusterTrustBundleProjection, bundles: readonly ClusterTrustBundle[], salt: string): string {
  const chosen = chooseBundles(source, bundles);
  const certificates = new Set(chosen.flatMap(({ spec }) => certificatesOf(spec.trustBundle)));
  const place = (text: string): string => createHash("sha256").update(salt).update(text).digest("hex");
  const placed = [...certificates].map((text) => ({ text, at: place(text) }));
  return certificatesAsPem(placed.sort((a, b) => (a.at < b.at ? -1 : 1)).map(({ text }) => text));
}

function chooseBundles(
  source: ClusterTrustBundleProjection,
  bundles: readonly ClusterTrustBundle[],
): readonly ClusterTrustBundle[] {
  const { name, signerName = "", labelSelector, optional = false } = source;
  if (name !== undefined) {
    const found = bundles.filter(({ metadata }) => metadata.name === name);
    if (found.length > 0 || optional) return found;
    throw new MissingReferenceError(
      `while getting ClusterTrustBundle: clustertrustbundle.certificates.k8s.io "${name}" not found`,
    );
  }
  // No selector selects nothing, and an empty one all.
  const selector = labelSelectorFromObject(labelSelector);
  const found = bundles.filter(({ metadata, spec }) => spec.signerName === signerName && selector.matches(metadata.labels ?? {}));
  if (found.length > 0 || optional) return found;
  throw new MissingReferenceError("combination of signerName and labelSelector matched zero ClusterTrustBundles");
}

/** Reads bundles through a client. */
export class TrustAnchors {
  readonly #client: Pick<Client, "list">;
  readonly #clock: Clock;
  readonly #salt: string;
  #known: { readonly atMs: number; readonly bundles: Promise<readonly ClusterTrustBundle[]> } | undefined;

  constructor({
    client,
    clock,
    random,
  }: { readonly client: Pick<Client, "list">; readonly clock: Clock; readonly random: Random }) {
    this.#client = client;
    this.#clock = clock;
    this.#salt = random.uuid();
  }

  /** Rejects with `MissingReferenceError`. */
  async get(source: ClusterTrustBundleProjection): Promise<string> {
    return trustAnchors(source, await this.#bundles(), this.#salt);
  }

  #bundles(): Promise<readonly ClusterTrustBundle[]> {
    const nowMs = this.#clock.elapsed();
    if (this.#known !== undefined && nowMs - this.#known.atMs < FRESH_MS) return this.#known.bundles;
    const bundles = this.#client.list<ClusterTrustBundle>(BUNDLES, "").then(({ items }) => items);
    this.#known = { atMs: nowMs, bundles };
    bundles.catch(() => {
      this.#known = undefined;
    });
    return bundles;
  }
}
