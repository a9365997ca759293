import { StatusError } from "#apimachinery/api-errors/status.ts";
import type { Client } from "#client/client.ts";
import { metaOf } from "#client/object-meta.ts";
import type { Discovered, DiscoveredResource } from "../../framework/discovery.ts";
import type { Progress } from "./conditions.ts";

interface Left {
  readonly count: number;
  readonly finalizers: ReadonlyMap<string, number>;
}

/**
 * Deletes everything in a namespace, once. Pods go first, and as long as some are left nothing else is touched
 * (KEP-5080): they may depend on it. Never rejects.
 */
export async function deleteContent(client: Client, namespace: string, discovered: Discovered): Promise<Progress> {
  const deletionFailures: string[] = [];
  const remaining = new Map<string, number>();
  const finalizers = new Map<string, number>();
  const progress: Progress = { discoveryFailures: discovered.failures, deletionFailures, remaining, finalizers };
  const deletable = discovered.resources.filter(
    ({ namespaced, preferred, verbs }) => namespaced && preferred && verbs.includes("delete") && verbs.includes("list"),
  );
  const empty = async (resource: DiscoveredResource): Promise<void> => {
    try {
      const left = await emptyResource(client, namespace, resource);
      if (left.count === 0) return;
      remaining.set(`${resource.id.resource}.${resource.id.group}`, left.count);
      for (const [name, count] of left.finalizers) finalizers.set(name, (finalizers.get(name) ?? 0) + count);
      if (left.finalizers.size === 0 && resource.id.resource !== "pods") {
        deletionFailures.push(
          `unexpected items still remain in namespace: ${namespace} for gvr: ${resource.id.group}/${resource.id.version}, Resource=${resource.id.resource}`,
        );
      }
    } catch (error) {
      deletionFailures.push(error instanceof Error ? error.message : String(error));
    }
  };
  const isPods = ({ id }: DiscoveredResource): boolean => id.group === "" && id.resource === "pods";
  await Promise.all(deletable.filter(isPods).map(empty));
  if (remaining.size > 0 || deletionFailures.length > 0) return progress;
  await Promise.all(deletable.filter((resource) => !isPods(resource)).map(empty));
  return progress;
}

async function emptyResource(client: Client, namespace: string, { id, verbs }: DiscoveredResource): Promise<Left> {
  const before = await list(client, namespace, id);
  if (before.length === 0) return { count: 0, finalizers: new Map() };
  if (verbs.includes("deletecollection")) await client.deleteCollection(id, namespace, { propagationPolicy: "Background" });
  else {
    for (const object of before) {
      await client.delete(id, namespace, metaOf(object).name ?? "", { propagationPolicy: "Background" });
    }
  }
  const after = await list(client, namespace, id);
  const finalizers = new Map<string, number>();
  for (const name of after.flatMap((object) => metaOf(object).finalizers ?? [])) {
    finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  }
  return { count: after.length, finalizers };
}

async function list(client: Client, namespace: string, id: DiscoveredResource["id"]): Promise<readonly object[]> {
  try {
    return (await client.list<object>(id, namespace)).items;
  } catch (error) {
    // Served no longer, or a list that is not allowed: nothing that could be deleted.
    if (error instanceof StatusError && (error.code === 404 || error.code === 405)) return [];
    throw error;
  }
}
