import type { ManagedFieldsEntry } from "../meta/api-object.ts";
import { type FieldSet, isFieldSet, LEAF, sortShort, unionSets } from "./field-set.ts";

/** More managers than this that update are folded, oldest first. Those that apply are never. */
export const UPDATE_MANAGERS_MAX = 10;
const ANCIENT_CHANGES = "ancient-changes";

/** One manager's fields, ready to work with. */
export interface Manager {
  readonly name: string;
  readonly operation: "Apply" | "Update";
  readonly apiVersion: string;
  readonly subresource: string;
  /** RFC 3339; undefined when the entry told none. */
  time: string | undefined;
  fields: FieldSet;
}

/** All managers of an object, by identity. */
export type Managers = Map<string, Manager>;

/** What tells one manager from another; the version does not for those that apply. */
export function managerIdentity(manager: Pick<Manager, "name" | "operation" | "apiVersion" | "subresource">): string {
  const version = manager.operation === "Apply" ? "" : manager.apiVersion;
  return `${manager.operation}\n${manager.name}\n${version}\n${manager.subresource}`;
}

/** Reads entries; undefined when one of them is malformed. */
export function decodeManagers(entries: readonly ManagedFieldsEntry[] | undefined | null): Managers | undefined {
  const managers: Managers = new Map();
  for (const entry of entries ?? []) {
    const { operation, apiVersion, fieldsType, fieldsV1 } = entry;
    if ((operation !== "Apply" && operation !== "Update") || !apiVersion || fieldsType !== "FieldsV1") return undefined;
    if (fieldsV1 !== undefined && fieldsV1 !== null && !isKnownSet(fieldsV1)) return undefined;
    const manager: Manager = {
      name: entry.manager ?? "",
      operation,
      apiVersion,
      subresource: entry.subresource ?? "",
      time: entry.time ?? undefined,
      fields: fieldsV1 ?? LEAF,
    };
    managers.set(managerIdentity(manager), manager);
  }
  return managers;
}

/** Sets that were found well-formed: those of stored objects are asked about with every write. They are never changed. */
const knownSets = new WeakSet<object>();

function isKnownSet(fields: object): fields is FieldSet {
  if (knownSets.has(fields)) return true;
  if (!isFieldSet(fields)) return false;
  knownSets.add(fields);
  return true;
}

/** Writes entries in upstream's order; undefined for none. */
export function encodeManagers(managers: Managers): ManagedFieldsEntry[] | undefined {
  if (managers.size === 0) return undefined;
  return sortShort([...managers.values()], compareManagers).map(encodeManager);
}

function encodeManager(manager: Manager): ManagedFieldsEntry {
  const entry: { -readonly [K in keyof ManagedFieldsEntry]: ManagedFieldsEntry[K] } = {};
  if (manager.name !== "") entry.manager = manager.name;
  entry.operation = manager.operation;
  entry.apiVersion = manager.apiVersion;
  if (manager.time !== undefined) entry.time = manager.time;
  entry.fieldsType = "FieldsV1";
  entry.fieldsV1 = manager.fields as Record<string, unknown>;
  if (manager.subresource !== "") entry.subresource = manager.subresource;
  return entry;
}

function compareManagers(a: Manager, b: Manager): number {
  return (
    compareText(a.operation, b.operation) ||
    (a.time === b.time ? 0 : secondsOf(a) - secondsOf(b)) ||
    compareText(a.name, b.name) ||
    compareText(a.apiVersion, b.apiVersion) ||
    compareText(a.subresource, b.subresource)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function secondsOf({ time }: Manager): number {
  const ms = time === undefined ? 0 : Date.parse(time);
  return Number.isNaN(ms) ? 0 : Math.floor(ms / 1000);
}

/** Folds the oldest managers that update into one for each version, until at most {@link UPDATE_MANAGERS_MAX} are left. */
export function capUpdateManagers(managers: Managers): void {
  if (managers.size <= UPDATE_MANAGERS_MAX) return;
  const updaters = [...managers].filter(([, manager]) => manager.operation === "Update");
  let count = updaters.length;
  if (count <= UPDATE_MANAGERS_MAX) return;
  updaters.sort(([idA, a], [idB, b]) => secondsOf(a) - secondsOf(b) || compareText(idA, idB));
  const firstOfVersion = new Map<string, string>();
  for (const [id, manager] of updaters) {
    if (count <= UPDATE_MANAGERS_MAX) return;
    const { apiVersion } = manager;
    const first = firstOfVersion.get(apiVersion);
    if (first === undefined) {
      firstOfVersion.set(apiVersion, id);
      continue;
    }
    const bucket = { name: ANCIENT_CHANGES, operation: "Update", apiVersion, subresource: "" } as const;
    const bucketId = managerIdentity(bucket);
    const start = managers.get(bucketId) ?? managers.get(first);
    if (!managers.has(bucketId)) managers.delete(first);
    managers.set(bucketId, { ...bucket, time: manager.time, fields: unionSets(start?.fields ?? LEAF, manager.fields) });
    managers.delete(id);
    count--;
  }
}
