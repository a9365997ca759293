import { type FieldError, goQuote, invalid, required } from "#apimachinery/validation/field-error.ts";
import { FieldPath } from "#apimachinery/validation/field-path.ts";
import { ConfigurationError, durationMs, readConfiguration, type Shape } from "#apiserver/configuration-file.ts";
import { AES_KEY_BYTES } from "#storage/encryption/aes.ts";
import { SECRETBOX_KEY_BYTES } from "#storage/encryption/secretbox.ts";
import { resourceFaults } from "./encrypted-resources.ts";

/** A named key; `secret` is base64. */
export interface EncryptionKey {
  readonly name: string;
  readonly secret: string;
}

/** A key management service that encrypts keys. */
export interface KmsProvider {
  readonly apiVersion: string;
  readonly name: string;
  readonly endpoint: string;
  readonly timeoutMs: number;
}

/** One way of encrypting; exactly one member is there. */
export interface EncryptionProvider {
  readonly aesgcm?: { readonly keys: readonly EncryptionKey[] };
  readonly aescbc?: { readonly keys: readonly EncryptionKey[] };
  readonly secretbox?: { readonly keys: readonly EncryptionKey[] };
  readonly identity?: object;
  readonly kms?: KmsProvider;
}

/** The resources that are encrypted alike: the first provider encrypts, all decrypt. */
export interface EncryptedResources {
  /** `secrets`, `deployments.apps`, `*.apps`, `*.` or `*.*`. */
  readonly resources: readonly string[];
  readonly providers: readonly EncryptionProvider[];
}

const DEFAULT_KMS_TIMEOUT_MS = 3_000;
const KEY_SIZES = { aesgcm: AES_KEY_BYTES, aescbc: AES_KEY_BYTES, secretbox: [SECRETBOX_KEY_BYTES] } as const;

const keys: Shape = { fields: { keys: { list: { fields: { name: "text", secret: "text" } } } } };
const kms: Shape = { fields: { apiVersion: "text", name: "text", cachesize: "any", endpoint: "text", timeout: "duration" } };
const providers: Shape = {
  list: { fields: { aesgcm: keys, aescbc: keys, secretbox: keys, identity: { fields: {} }, kms } },
};

interface WrittenKms {
  readonly apiVersion?: string;
  readonly name?: string;
  readonly cachesize?: unknown;
  readonly endpoint?: string;
  readonly timeout?: string;
}

type Written = Readonly<Record<string, unknown>> & { readonly kms?: WrittenKms };

/**
 * Reads an `EncryptionConfiguration`, in its first form (`EncryptionConfig` of `v1`) too, with the checks of upstream's
 * `ValidateEncryptionConfiguration`. Secrets are in no message. Throws {@link ConfigurationError}.
 */
export function readEncryptionConfiguration(text: string, path: string): readonly EncryptedResources[] {
  const old = /^kind:\s*"?EncryptionConfig"?\s*$/m.test(text);
  const config = readConfiguration(text, path, {
    kind: old ? "EncryptionConfig" : "EncryptionConfiguration",
    apiVersions: old ? ["v1"] : ["apiserver.config.k8s.io/v1"],
    fields: { resources: { list: { fields: { resources: "texts", providers } } } },
  });
  const written = (config.resources ?? []) as readonly { resources?: readonly string[]; providers?: readonly Written[] }[];
  const entries = written.map((entry) => ({ resources: entry.resources ?? [], providers: entry.providers ?? [] }));
  const faults = validate(entries);
  const [first] = faults;
  if (first !== undefined) {
    const messages = faults.map(({ field, message }) => `${field}: ${message}`);
    throw new ConfigurationError(`${path}: ${messages.length === 1 ? messages[0] : `[${messages.join(", ")}]`}`);
  }
  return entries.map((entry) => ({ resources: entry.resources, providers: entry.providers.map(known) }));
}

function known(provider: Written): EncryptionProvider {
  if (provider.kms === undefined) return provider as unknown as EncryptionProvider;
  const { apiVersion = "v1", name = "", endpoint = "", timeout } = provider.kms;
  return { kms: { apiVersion, name, endpoint, timeoutMs: durationMs(timeout) ?? DEFAULT_KMS_TIMEOUT_MS } };
}

function validate(entries: readonly { resources: readonly string[]; providers: readonly Written[] }[]): FieldError[] {
  const root = FieldPath.of("resources");
  if (entries.length === 0) return [required(root, "at least one resources is required")];
  const names = new Set<string>();
  return entries.flatMap((entry, i) => {
    const [r, p] = [root.index(i).child("resources"), root.index(i).child("providers")];
    return [
      ...(entry.resources.length === 0 ? [required(r, `at least one ${r} is required`)] : []),
      ...resourceFaults(entry.resources, r),
      ...(entry.providers.length === 0 ? [required(p, `at least one ${p} is required`)] : []),
      ...entry.providers.flatMap((provider, j) => providerFaults(provider, p.index(j), names)),
    ];
  });
}

function providerFaults(provider: Written, path: FieldPath, names: Set<string>): FieldError[] {
  const kinds = Object.keys(provider);
  if (kinds.length === 0) {
    const text = "provider does not contain any of the expected providers: KMS, AESGCM, AESCBC, Secretbox, Identity";
    return [invalid(path, "{}", text)];
  }
  if (kinds.length > 1) {
    return [
      invalid(
        path,
        "REDACTED",
        "more than one provider specified in a single element, should split into different list elements",
      ),
    ];
  }
  if (provider.kms !== undefined) return kmsFaults(provider.kms, path.child("kms"), names);
  const kind = kinds[0] as keyof typeof KEY_SIZES | "identity";
  if (kind === "identity") return [];
  const list = (provider[kind] as { keys?: readonly Partial<EncryptionKey>[] }).keys ?? [];
  const at = path.child(kind).child("keys");
  if (list.length === 0) return [required(at, "at least one keys is required")];
  return list.flatMap((key, i) => keyFaults(key, at.index(i), KEY_SIZES[kind]));
}

function keyFaults({ name = "", secret = "" }: Partial<EncryptionKey>, path: FieldPath, sizes: readonly number[]): FieldError[] {
  const faults = name === "" ? [required(path.child("name"), "name is a mandatory field for a key")] : [];
  const at = path.child("secret");
  if (secret === "") return [...faults, required(at, "secret is a mandatory field for a key")];
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(secret))
    return [...faults, invalid(at, "REDACTED", "secrets must be base64 encoded")];
  const size = Buffer.from(secret, "base64").byteLength;
  if (sizes.includes(size)) return faults;
  const text = `secret is not of the expected length, got ${size}, expected one of [${sizes.join(" ")}]`;
  return [...faults, invalid(at, "REDACTED", text)];
}

function kmsFaults(provider: WrittenKms, path: FieldPath, names: Set<string>): FieldError[] {
  const { apiVersion = "v1", name = "", endpoint = "", timeout = "3s", cachesize } = provider;
  const faults: FieldError[] = [];
  const at = path.child("name");
  if (name === "") faults.push(required(at, "name is a mandatory field for a provider"));
  if (apiVersion !== "v1" && name.includes(":"))
    faults.push(invalid(at, name, `invalid KMS provider name ${name}, must not contain ':'`));
  if (names.has(name)) faults.push(invalid(at, name, `duplicate KMS provider name ${name}, names must be unique`));
  names.add(name);
  if ((durationMs(timeout) ?? 0) <= 0) faults.push(invalid(path.child("timeout"), timeout, "timeout should be a positive value"));
  faults.push(...endpointFaults(endpoint, path.child("endpoint")));
  if (apiVersion !== "v1" && cachesize !== undefined)
    faults.push(invalid(path.child("cachesize"), cachesize, "cachesize is not supported in v2"));
  if (apiVersion !== "v1" && apiVersion !== "v2") {
    const text = `unsupported apiVersion ${apiVersion} for KMS provider, only v1 and v2 are supported`;
    faults.push(invalid(path.child("apiVersion"), apiVersion, text));
  }
  return faults;
}

function endpointFaults(endpoint: string, path: FieldPath): FieldError[] {
  if (endpoint === "") return [invalid(path, endpoint, "endpoint is a mandatory field for a kms")];
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(endpoint)?.[1]?.toLowerCase() ?? "";
  if (scheme === "unix") return [];
  return [invalid(path, endpoint, `unsupported scheme ${goQuote(scheme)} for KMS provider, only unix is supported`)];
}
