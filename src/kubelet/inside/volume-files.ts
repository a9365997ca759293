import type {
  ClusterTrustBundleProjection,
  ConfigMapVolumeSource,
  DownwardAPIVolumeFile,
  KeyToPath,
  Pod,
  PodCertificateProjection,
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
  /** Its user; root where there is none. */
  readonly owner?: number;
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
  /** The mode and user of what only the pod itself may read: tokens and keys. As the others where there is none. */
  readonly credentialMode?: number;
  readonly credentialOwner?: number;
  /** The certificates of ClusterTrustBundles, as PEM; left out where they are not known. */
  readonly trustAnchors?: (source: ClusterTrustBundleProjection) => Promise<string>;
  /** A key with a certificate of the pod's own, for a source of a volume; left out where none are made. */
  readonly certificate?: (volume: string, index: number, source: PodCertificateProjection) => Promise<KeyAndCertificates>;
}

/** A key and its certificates, as PEM. */
export interface KeyAndCertificates {
  readonly key: string;
  readonly certificates: string;
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
  const missing: string[] = [];
  for (const [index, source] of (projected?.sources ?? []).entries()) {
    try {
      const place = { volume: volume.name, index, mode: projected?.defaultMode };
      for (const [path, file] of await projectedFiles(source, place, situation)) all.set(path, file);
    } catch (error) {
      if (!(error instanceof MissingReferenceError)) throw error;
      missing.push(error.message);
    }
  }
  if (missing.length === 0) return all;
  throw new MissingReferenceError(missing.length === 1 ? (missing[0] ?? "") : `[${missing.join(", ")}]`);
}

/** Whether a projected volume is one of those that the API server gives every pod: what it refers to comes by itself. */
export function isServiceAccountVolume({ projected }: Volume): boolean {
  return projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken !== undefined) ?? false;
}

/** Where a source stands among those of its volume, and the mode of its files. */
interface SourcePlace {
  readonly volume: string;
  readonly index: number;
  readonly mode: number | undefined;
}

async function projectedFiles(source: VolumeProjection, place: SourcePlace, situation: VolumeSituation): Promise<VolumeFiles> {
  const { configMap, secret, downwardAPI, serviceAccountToken: token, clusterTrustBundle: bundle, podCertificate } = source;
  const { mode } = place;
  if (configMap !== undefined) return configMapFiles(configMap, mode, situation);
  if (secret !== undefined) return secretFiles(secret, mode, situation);
  if (downwardAPI !== undefined) return downwardFiles(downwardAPI.items, mode, situation);
  if (bundle !== undefined && situation.trustAnchors !== undefined) {
    return new Map([[bundle.path, credential(await situation.trustAnchors(bundle), mode, situation)]]);
  }
  if (podCertificate !== undefined && situation.certificate !== undefined) {
    return certificateFiles(
      podCertificate,
      await situation.certificate(place.volume, place.index, podCertificate),
      mode,
      situation,
    );
  }
  if (token === undefined) return new Map();
  const data = await situation.token(token.audience, token.expirationSeconds ?? TOKEN_SECONDS);
  return new Map([[token.path, credential(data, mode, situation)]]);
}

function certificateFiles(
  { credentialBundlePath = "", keyPath = "", certificateChainPath = "" }: PodCertificateProjection,
  { key, certificates }: KeyAndCertificates,
  mode: number | undefined,
  situation: VolumeSituation,
): VolumeFiles {
  const all = [
    [credentialBundlePath, `${key}${certificates}`],
    [keyPath, key],
    [certificateChainPath, certificates],
  ] as const;
  return new Map(all.filter(([path]) => path !== "").map(([path, text]) => [path, credential(text, mode, situation)]));
}

function credential(text: string, mode: number = DEFAULT_MODE, { credentialMode, credentialOwner }: VolumeSituation): VolumeFile {
  const owner = credentialOwner === undefined ? {} : { owner: credentialOwner };
  return { data: Buffer.from(text), mode: credentialMode ?? mode, ...owner };
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
