import type { CSINode, CSINodeDriver } from "#api/generated/storage/v1.ts";
import { semanticEqual } from "#apimachinery/meta/deep-equal.ts";
import { duplicate, type FieldError, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { byteLength, isQualifiedName } from "#apimachinery/validation/names.ts";
import { IMMUTABLE_MESSAGE } from "#apimachinery/validation/object-meta.ts";
import { invalidEach, nonNegativeErrors } from "../../core/pod/validation/field-checks.ts";
import { csiDriverNameErrors } from "../../core/pod/validation/volumes-legacy.ts";

/** The longest name that a driver may have for a node, in bytes. */
const NODE_ID_BYTES_MAX = 256;

/** Upstream's `ValidateCSINode` without the metadata rules. */
export function validateCsiNode({ spec }: CSINode): FieldError[] {
  const names = new Set<string>();
  return (spec?.drivers ?? []).flatMap((driver, i) => validateDriver(driver, names, FieldPath.of("spec", "drivers").index(i)));
}

/** Drivers come and go; one that stays keeps its ID and topology, and may get another limit (KEP-4876). */
export function validateCsiNodeUpdate(node: CSINode, old: CSINode): FieldError[] {
  const errors = validateCsiNode(node);
  for (const before of old.spec?.drivers ?? []) {
    const after = node.spec?.drivers?.find(({ name }) => name === before.name);
    if (after === undefined) continue;
    if (after.nodeID === before.nodeID && semanticEqual(after.topologyKeys ?? [], before.topologyKeys ?? [])) continue;
    errors.push(invalid(FieldPath.of("spec", "drivers"), inGoOrder(after), IMMUTABLE_MESSAGE));
  }
  return errors;
}

function inGoOrder({ name, nodeID, topologyKeys }: CSINodeDriver): object {
  return { Name: name, NodeID: nodeID ?? "", TopologyKeys: topologyKeys ?? null, Allocatable: null };
}

function validateDriver(driver: CSINodeDriver, names: Set<string>, path: FieldPath): FieldError[] {
  const { name = "", nodeID = "", allocatable, topologyKeys } = driver;
  const errors = csiDriverNameErrors(name, path.child("name"));
  if (nodeID === "") errors.push(required(path.child("nodeID"), ""));
  if (byteLength(nodeID) > NODE_ID_BYTES_MAX) {
    errors.push(invalid(path.child("nodeID"), nodeID, `must be ${NODE_ID_BYTES_MAX} characters or less`));
  }
  errors.push(...nonNegativeErrors(allocatable?.count, path.child("allocatable", "count")));
  if (names.has(name)) errors.push(duplicate(path.child("name"), name));
  names.add(name);
  const keys = new Set<string>();
  for (const key of topologyKeys ?? []) {
    if (key === "") errors.push(required(path, ""));
    if (keys.has(key)) errors.push(duplicate(path, key));
    keys.add(key);
    errors.push(...invalidEach(path, key, isQualifiedName(key)));
  }
  return errors;
}
