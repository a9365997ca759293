import { isConflict } from "#apimachinery/api-errors/errors.ts";
import { StatusError } from "#apimachinery/api-errors/status.ts";
import { type ApiObject, formatGroupVersion } from "#apimachinery/meta/api-object.ts";
import type { Client } from "#client/client.ts";
import type { DiscoveredResource } from "../../framework/discovery.ts";

/** Objects that one list asks for. */
const PAGE_OBJECTS = 500;

/** No namespace can have this name: a list of it tells a revision and nothing else. */
const NOWHERE = "@fake:svm_ns!";

/** The revision at which the resource stands now. */
export async function revisionOf(client: Client, { id, namespaced }: DiscoveredResource): Promise<string> {
  const { metadata } = await client.list(id, namespaced ? NOWHERE : "", { limit: 1 });
  return metadata.resourceVersion;
}

/**
 * Writes every object that was last written up to `revision` once more, by an empty apply. Resolves to what it failed with for
 * good, and rejects with what may pass.
 */
export async function migrateObjects(
  client: Client,
  { id, kind }: DiscoveredResource,
  revision: string,
  fieldManager: string,
): Promise<string | undefined> {
  const apiVersion = formatGroupVersion(id.group, id.version);
  const last = BigInt(revision);
  let next = "";
  do {
    const page = await client.list<ApiObject>(id, "", { limit: PAGE_OBJECTS, ...(next !== "" && { continue: next }) });
    for (const { metadata } of page.items) {
      const { namespace = "", name = "", uid, resourceVersion = "" } = metadata;
      if (BigInt(resourceVersion) > last) continue;
      // The uid keeps what was deleted from being made again, the revision what was made again from being changed.
      const patch = { apiVersion, kind, metadata: { uid, resourceVersion } };
      try {
        await client.patch(id, namespace, name, "application/apply-patch+yaml", patch, { fieldManager });
      } catch (error) {
        // Whoever changed it meanwhile has written it anew.
        if (isConflict(error)) continue;
        if (mayPass(error)) throw error;
        return error instanceof Error ? error.message : String(error);
      }
    }
    next = page.metadata.continue ?? "";
  } while (next !== "");
  return undefined;
}

const PASSING: readonly string[] = ["ServerTimeout", "TooManyRequests", "ServiceUnavailable", "InternalError", "Timeout"];

/** Failures of connections, and those of which the server says that they pass. */
function mayPass(error: unknown): boolean {
  return !(error instanceof StatusError) || PASSING.includes(error.reason ?? "");
}
