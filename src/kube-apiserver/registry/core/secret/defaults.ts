import type { Secret } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";

/** The type, and `stringData` moved into `data`, over what stands there. */
export function setSecretDefaults(secret: Draft<Secret>): void {
  secret.type ||= "Opaque";
  const entries = Object.entries(secret.stringData ?? {});
  if (entries.length > 0) {
    secret.data ??= {};
    for (const [key, value] of entries) secret.data[key] = Buffer.from(value).toString("base64");
  }
  delete secret.stringData;
}
