import type { Scale } from "#api/generated/autoscaling/v1.ts";
import type { CrossVersionObjectReference } from "#api/generated/autoscaling/v2.ts";
import { parseGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { resourcePath } from "#client/resource-path.ts";
import type { Discovery } from "../../framework/discovery.ts";
import { serverError } from "./server-error.ts";

/** What an autoscaler scales: any object whose resource has a `scale`. */
export interface ScaleTarget {
  readonly id: ResourceId;
  readonly scale: Scale;
}

/** How long the kinds that the server knows are believed, in milliseconds; upstream's mapper is reset as often. */
const DISCOVERY_AGE_MS = 30_000;

/** Resources of a kind, the preferred version of each. Throws upstream's error when there is none. */
export async function resourcesOfKind(discovery: Discovery, group: string, kind: string): Promise<readonly ResourceId[]> {
  const { resources } = await discovery.discover(DISCOVERY_AGE_MS);
  const found = resources.filter((resource) => resource.id.group === group && resource.kind === kind);
  const byName = new Map<string, ResourceId>();
  for (const { id, preferred } of found) if (preferred || !byName.has(id.resource)) byName.set(id.resource, id);
  if (byName.size === 0) throw new Error(`no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`);
  return [...byName.values()];
}

/** Finds the target and reads its scale. Throws what `FailedGetScale` tells. */
export async function getScale(
  { client, discovery }: { readonly client: Client; readonly discovery: Discovery },
  namespace: string,
  { apiVersion = "", kind, name }: CrossVersionObjectReference,
): Promise<ScaleTarget> {
  if (apiVersion.split("/").length > 2) throw new Error(`unexpected GroupVersion string: ${apiVersion}`);
  const group = apiVersion.includes("/") ? parseGroupVersion(apiVersion).group : "";
  let first: unknown;
  for (const id of await resourcesOfKind(discovery, group, kind)) {
    try {
      return { id, scale: (await client.raw(resourcePath(id, namespace, name, "scale"))) as Scale };
    } catch (error) {
      // The scale client names the resource without its group.
      first ??= serverError(error, { group: "", resource: id.resource }, name);
    }
  }
  throw first;
}
