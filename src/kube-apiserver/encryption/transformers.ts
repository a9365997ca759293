import { ConfigurationError } from "#apiserver/configuration-file.ts";
import type { HealthCheck } from "#apiserver/health/health-checks.ts";
import type { Clock } from "#base/clock.ts";
import type { Random } from "#base/random.ts";
import { AesCbc, AesGcm } from "#storage/encryption/aes.ts";
import { Envelope } from "#storage/encryption/envelope.ts";
import { KmsKey } from "#storage/encryption/kms-key.ts";
import { GrpcKmsService } from "#storage/encryption/kms-service.ts";
import { Secretbox } from "#storage/encryption/secretbox.ts";
import {
  identity,
  type PrefixedTransformer,
  PrefixTransformers,
  type ValueTransformer,
} from "#storage/encryption/value-transformer.ts";
import { type GroupResource, parseGroupResource } from "./encrypted-resources.ts";
import type { EncryptedResources, EncryptionKey, EncryptionProvider, KmsProvider } from "./encryption-configuration.ts";

/** What the providers are made of. */
export interface EncryptionModules {
  readonly clock: Clock;
  readonly random: Random;
}

/** A configuration at work. */
export interface Transformers {
  /** Resources that are not named are not encrypted, and refused where they are. */
  of(resource: GroupResource): ValueTransformer;
  /** One for each key management service. */
  readonly healthChecks: readonly HealthCheck[];
  close(): void;
}

const KMS_V1_REFUSED =
  "KMSv1 is deprecated and will only receive security updates going forward. Use KMSv2 instead.  Set --feature-gates=KMSv1=true to use the deprecated KMSv1 feature.";

/** Puts a configuration to work; key management services are asked for the first time. Throws {@link ConfigurationError}. */
export async function startTransformers(
  configuration: readonly EncryptedResources[],
  modules: EncryptionModules,
): Promise<Transformers> {
  const services: KmsKey[] = [];
  const byResource = new Map<string, PrefixedTransformer[]>();
  try {
    for (const { resources, providers } of configuration) {
      const items = providers.map((provider) => prefixed(provider, modules, services));
      for (const name of resources) {
        const id = nameOf(parseGroupResource(name));
        const mask = masking(name).find((wider) => byResource.has(wider));
        if (mask !== undefined) throw new ConfigurationError(`resource "${name}" is masked by earlier rule "${mask}"`);
        byResource.set(id, [...(byResource.get(id) ?? []), ...items]);
      }
    }
  } catch (error) {
    for (const service of services) service.close();
    throw error;
  }
  const transformers = new Map(
    [...byResource].map(([id, items]) => [id, new PrefixTransformers(items, "no matching prefix found")]),
  );
  await Promise.all(services.map((service) => service.start()));
  return {
    of: (resource) =>
      transformers.get(nameOf(resource)) ??
      transformers.get(nameOf({ ...resource, resource: "*" })) ??
      transformers.get(EVERYTHING) ??
      identity,
    healthChecks: services.map((service, i) => ({
      name: `kms-provider-${i}`,
      check: async () => {
        const failure = await service.check();
        if (failure !== undefined) throw failure;
      },
    })),
    close: () => {
      for (const service of services) service.close();
    },
  };
}

const EVERYTHING = "*.*";

function nameOf({ group, resource }: GroupResource): string {
  return `${resource}.${group}`;
}

/** The rules that would leave a later one nothing. */
function masking(name: string): string[] {
  const resource = parseGroupResource(name);
  return [nameOf({ ...resource, resource: "*" }), EVERYTHING].filter(
    (wider) => wider !== nameOf(resource) || wider === EVERYTHING,
  );
}

function prefixed(provider: EncryptionProvider, modules: EncryptionModules, services: KmsKey[]): PrefixedTransformer {
  const { random } = modules;
  const { aesgcm, aescbc, secretbox, kms } = provider;
  if (aesgcm) return keyed("k8s:enc:aesgcm:v1:", "AES", aesgcm.keys, (key) => new AesGcm(key, random));
  if (aescbc) return keyed("k8s:enc:aescbc:v1:", "AES", aescbc.keys, (key) => new AesCbc(key, random));
  if (secretbox) return keyed("k8s:enc:secretbox:v1:", "Secretbox", secretbox.keys, (key) => new Secretbox(key, random));
  if (kms) return envelope(kms, modules, services);
  return { prefix: "", transformer: identity };
}

function keyed(
  prefix: string,
  name: string,
  keys: readonly EncryptionKey[],
  make: (key: Uint8Array) => ValueTransformer,
): PrefixedTransformer {
  const items = keys.map((key) => ({
    prefix: `${key.name}:`,
    transformer: make(Uint8Array.from(Buffer.from(key.secret, "base64"))),
  }));
  return { prefix, transformer: new PrefixTransformers(items, `no matching key was found for the provided ${name} transformer`) };
}

function envelope(provider: KmsProvider, { clock, random }: EncryptionModules, services: KmsKey[]): PrefixedTransformer {
  const { apiVersion, name, endpoint, timeoutMs } = provider;
  if (apiVersion === "v1") throw new ConfigurationError(KMS_V1_REFUSED);
  const service = new GrpcKmsService({ socketPath: socketPath(endpoint), timeoutMs, clock });
  const key = new KmsKey({ name, service, clock, random });
  services.push(key);
  return { prefix: `k8s:enc:kms:v2:${name}:`, transformer: new Envelope({ key, clock, random }) };
}

/** `unix:///path` and `unix://@name`, a name of Linux's abstract sockets. */
function socketPath(endpoint: string): string {
  const path = endpoint.replace(/^unix:(\/\/)?/i, "");
  return path.startsWith("@") || path.startsWith("/@") ? `\0${path.replace(/^\/?@/, "")}` : path;
}
