import type {
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  SecretVolumeSource,
  Volume,
  VolumeProjection,
} from "#api/generated/core/v1.ts";
import { type Addresses, fieldValue } from "./field-values.ts";
import { MissingReferenceError } from "./missing-reference.ts";
import { type Amounts, resourceValue } from "./resource-values.ts";
import type { Sources } from "./sources.ts";

/** A file of a volume. */
export interface VolumeFile {
  readonly data: Buffer;
  readonly mode: number;
}
/** Files by their paths in the volume. */
export type VolumeFiles = ReadonlyMap<string, VolumeFile>;

/** What the files of a volume are made from. */
export interface VolumeSituation {
  readonly pod: Pod;
  readonly addresses: Addresses;
  readonly allocatable: Amounts;
  readonly sources: Pick<Sources, "configMap" | "secret">;
  /** A token for an audience. */
  readonly token: (audience: string | undefined, expirationSeconds: number) => Promise<string>;
}

const DEFAULT_MODE = 0o644;
const TOKEN_SECONDS = 3600;

/** The volume's files come from the API, and change when it does. */
export function isFromApi({ configMap, secret, downwardAPI, projected }: Volume): boolean {
  return (configMap ?? secret ?? downwardAPI ?? projected) !== undefined;
}

/** The files of a volume. Rejects with {@link MissingReferenceError}. */
export async function volumeFiles(volume: Volume, situation: VolumeSituation): Promise<VolumeFiles> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap !== undefined) return configMapFiles(configMap, configMap.defaultMode, situation);
  if (secret !== undefined) {
    const { secretName: name = "" } = secret;
    return secretFiles({ ...secret, name }, secret.defaultMode, situation);
  }
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items, downwardAPI.defaultMode, situation);
  const all = new Map<string, VolumeFile>();
  for (const source of projected?.sources ?? []) {
    for (const [path, file] of await projectedFiles(source, projected?.defaultMode, situation)) all.set(path, file);
  }
  return all;
}

/** Whether a projected volume is one of those that the API server gives every pod: what it refers to comes by itself. */
export function isServiceAccountVolume({ projected }: Volume): boolean {
  return projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined) ?? false;
}

async function projectedFiles(
  source: VolumeProjection,
  mode: number | undefined,
  situation: VolumeSituation,
): Promise<VolumeFiles> {
  const { configMap, secret, downwardAPI, serviceAccountToken: token } = source;
  if (configMap !== undefined) return configMapFiles(configMap, mode, situation);
  if (secret !== undefined) return secretFiles(secret, mode, situation);
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items, mode, situation);
  if (token === undefined) return new Map();
  const data = await situation.token(token.audience, token.expirationSeconds ?? TOKEN_SECONDS);
  return new Map([[token.path, { data: Buffer.from(data), mode: mode ?? DEFAULT_MODE }]]);
}

async function configMapFiles(
  { name = "", items, optional }: ConfigMapVolumeSource,
  mode: number | undefined,
  { pod, sources }: VolumeSituation,
): Promise<VolumeFiles> {
  const found = await sources.configMap(pod.metadata.namespace ?? "", name);
  if (found === undefined && optional !== true) throw new MissingReferenceError(`configmap "${name}" not found`);
  const texts = Object.entries((found?.data ?? {}) as Record<string, string>);
  const binary = Object.entries((found?.binaryData ?? {}) as Record<string, string>);
  const data = new Map([
    ...texts.map(([key, value]) => [key, Buffer.from(value)] as const),
    ...binary.map(([key, value]) => [key, Buffer.from(value, "base64")] as const),
  ]);
  return chosen(data, items, mode, optional, "configmap references non-existent config key");
}

async function secretFiles(
  { name = "", items, optional }: { readonly name?: string } & Pick<SecretVolumeSource, "items" | "optional">,
  mode: number | undefined,
  { pod, sources }: VolumeSituation,
): Promise<VolumeFiles> {
  const found = await sources.secret(pod.metadata.namespace ?? "", name);
  if (found === undefined && optional !== true) throw new MissingReferenceError(`secret "${name}" not found`);
  const entries = Object.entries((found?.data ?? {}) as Record<string, string>);
  const data = new Map(entries.map(([key, value]) => [key, Buffer.from(value, "base64")]));
  return chosen(data, items, mode, optional, "references non-existent secret key");
}

function chosen(
  data: ReadonlyMap<string, Buffer>,
  items: readonly KeyToPath[] = [],
  defaultMode: number = DEFAULT_MODE,
  optional: boolean | undefined,
  missing: string,
): VolumeFiles {
  if (items.length === 0) return new Map([...data].map(([key, bytes]) => [key, { data: bytes, mode: defaultMode }]));
  const files = new Map<string, VolumeFile>();
  for (const { key, path, mode } of items) {
    const bytes = data.get(key);
    if (bytes !== undefined) files.set(path, { data: bytes, mode: mode ?? defaultMode });
    else if (optional !== true) throw new MissingReferenceError(`${missing}: ${key}`);
  }
  return files;
}

function downwardFiles(
  items: readonly DownwardAPIVolumeFile[] = [],
  defaultMode: number = DEFAULT_MODE,
  { pod, addresses, allocatable }: VolumeSituation,
): VolumeFiles {
  const files = new Map<string, VolumeFile>();
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    const text =
      fieldRef !== undefined
        ? fieldValue(pod, fieldRef.fieldPath, addresses)
        : resourceFieldRef !== undefined
          ? resourceValue(pod, undefined, resourceFieldRef, allocatable)
          : undefined;
    files.set(path, { data: Buffer.from(text ?? ""), mode: mode ?? defaultMode });
  }
  return files;
}
