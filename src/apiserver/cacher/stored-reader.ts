import type { ApiObject } from "#apimachinery/meta/api-object.ts";

/** Reads a resource's stored values that are not of this server's own making. */
export interface StoredReader {
  /** What own values begin with: up to and with `"metadata":{`. Several where values of several versions are stored. */
  readonly heads: readonly Uint8Array[];
  /** The object in its storage form. Throws where the value cannot be read. */
  read(bytes: Uint8Array): ApiObject;
  /** Whether this server would write the value otherwise. */
  staleness(value: Uint8Array): boolean | "unknown";
}
