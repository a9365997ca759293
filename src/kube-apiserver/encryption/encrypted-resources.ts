import { type FieldError, invalid } from "#apimachinery/validation/field-error.ts";
import type { FieldPath } from "#apimachinery/validation/field-path.ts";

/** A resource of a group, either of which may be `*`. */
export interface GroupResource {
  readonly group: string;
  readonly resource: string;
}

/** `deployments.apps` is the resource before the first dot and the group behind it. */
export function parseGroupResource(text: string): GroupResource {
  const dot = text.indexOf(".");
  return dot < 0 ? { group: "", resource: text } : { group: text.slice(dot + 1), resource: text.slice(0, dot) };
}

/** What has no path of its own in the API. */
const NO_REST = ["apiserveripinfo", "serviceipallocations", "servicenodeportallocations"];

/** Upstream's checks of the names of one entry, alone and against each other. */
export function resourceFaults(resources: readonly string[], path: FieldPath): FieldError[] {
  return [...overlaps(resources, path), ...resources.flatMap((name, i) => nameFault(name, path.index(i)))];
}

function overlaps(resources: readonly string[], path: FieldPath): FieldError[] {
  const parsed = resources.map(parseGroupResource);
  const faults: FieldError[] = [];
  if (new Set(resources).size < resources.length)
    faults.push(invalid(path, resources, "the same resource cannot be specified multiple times"));
  const masks = (a: GroupResource, b: GroupResource): boolean =>
    (a.group === "*" && a.resource === "*") || (a.group === b.group && (a.resource === "*" || b.resource === "*"));
  if (parsed.some((a, i) => parsed.some((b, j) => i !== j && resources[i] !== resources[j] && masks(a, b)))) {
    const text =
      "using overlapping resources such as 'secrets' and '*.' in the same resource list is not allowed as they will be masked";
    faults.push(invalid(path, resources, text));
  }
  return faults;
}

function nameFault(name: string, path: FieldPath): FieldError[] {
  const { group, resource } = parseGroupResource(name);
  const fault = (text: string): FieldError[] => [invalid(path, name, text)];
  if (name !== name.toLowerCase()) return fault("resource name should not contain capital letters");
  if (name === "*") return fault("use '*.' to encrypt all the resources from core API group or *.* to encrypt all resources");
  if (NO_REST.includes(name)) return fault("resources which do not have REST API/s cannot be encrypted");
  if (group === "events.k8s.io")
    return fault(
      "'*.events.k8s.io' objects are stored using the 'events' API group in etcd. Use 'events' instead in the config file",
    );
  if (group === "extensions") return fault("'extensions' group has been removed and cannot be used for encryption");
  if (group === "*" && resource !== "*") return fault("encrypting the same resource across groups is not supported");
  return [];
}
