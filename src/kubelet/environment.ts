import type { Container, EnvVar, FileKeySelector, Pod } from "#api/generated/core/v1.ts";
import { ownValue } from "#base/own-value.ts";
import { notInEnvFile } from "./env-file.ts";
import { type Addresses, fieldValue } from "./inside/field-values.ts";
import { MissingReferenceError } from "./inside/missing-reference.ts";
import { type Amounts, resourceValue } from "./inside/resource-values.ts";
import type { Sources } from "./inside/sources.ts";

/** A variable of a container. */
export interface EnvironmentVariable {
  readonly key: string;
  readonly value: string;
}

/** What variables are made from. */
export interface EnvironmentSituation {
  readonly addresses: Addresses;
  /** What the node has to give. */
  readonly allocatable: Amounts;
  readonly sources: Pick<Sources, "configMap" | "secret">;
  /** The value of a variable in a file of a volume; without it those variables are left out. */
  readonly envFileValue?: (reference: FileKeySelector) => Promise<{ readonly path: string; readonly value: string }>;
  /** Variables of services, which others may name. */
  readonly services: () => Promise<ReadonlyMap<string, string>>;
}

/**
 * The variables of a container's spec, in upstream's order: those of whole ConfigMaps and Secrets, then each of its own,
 * with `$(NAME)` of those before it (upstream's `makeEnvironmentVariables`). Rejects with {@link MissingReferenceError}.
 */
export async function environmentOf(
  pod: Pod,
  container: Container,
  situation: EnvironmentSituation,
): Promise<readonly EnvironmentVariable[]> {
  const known = new Map<string, string>();
  for (const { prefix = "", configMapRef, secretRef } of container.envFrom ?? []) {
    const data =
      configMapRef !== undefined
        ? await configMapData(pod, configMapRef, situation)
        : secretRef !== undefined
          ? await secretData(pod, secretRef, situation)
          : undefined;
    for (const key of Object.keys(data ?? {}).sort()) known.set(`${prefix}${key}`, ownValue(data, key) ?? "");
  }
  for (const variable of container.env ?? []) {
    const value = await variableValue(variable, pod, container, situation);
    if (value === undefined) continue;
    const isPlain = variable.valueFrom !== undefined || !value.includes("$");
    if (isPlain) known.set(variable.name, value);
    else {
      const services = value.includes("$(") ? await situation.services() : [];
      known.set(variable.name, expand(value, new Map([...services, ...known])));
    }
  }
  return [...known].map(([key, value]) => ({ key, value }));
}

interface Reference {
  readonly name?: string;
  readonly optional?: boolean;
}
type Texts = Readonly<Record<string, string>>;

async function configMapData({ metadata }: Pod, { name = "", optional }: Reference, { sources }: EnvironmentSituation) {
  const found = await sources.configMap(metadata.namespace ?? "", name);
  if (found === undefined && optional !== true) throw new MissingReferenceError(`configmap "${name}" not found`);
  return found === undefined ? undefined : ((found.data ?? {}) as Texts);
}

async function secretData({ metadata }: Pod, { name = "", optional }: Reference, { sources }: EnvironmentSituation) {
  const found = await sources.secret(metadata.namespace ?? "", name);
  if (found === undefined && optional !== true) throw new MissingReferenceError(`secret "${name}" not found`);
  if (found === undefined) return undefined;
  const entries = Object.entries((found.data ?? {}) as Texts);
  return Object.fromEntries(entries.map(([key, value]) => [key, Buffer.from(value, "base64").toString("utf8")]));
}

async function variableValue(
  { value, valueFrom }: EnvVar,
  pod: Pod,
  container: Container,
  situation: EnvironmentSituation,
): Promise<string | undefined> {
  if (valueFrom === undefined) return value ?? "";
  const { fieldRef, resourceFieldRef, configMapKeyRef, secretKeyRef, fileKeyRef } = valueFrom;
  if (fieldRef !== undefined) return fieldValue(pod, fieldRef.fieldPath, situation.addresses);
  if (resourceFieldRef !== undefined) return resourceValue(pod, container, resourceFieldRef, situation.allocatable);
  if (fileKeyRef !== undefined) return fileValue(fileKeyRef, situation);
  const keyRef = configMapKeyRef ?? secretKeyRef;
  if (keyRef === undefined) return undefined;
  const data = await (configMapKeyRef === undefined ? secretData : configMapData)(pod, keyRef, situation);
  const found = ownValue(data, keyRef.key);
  if (found !== undefined || keyRef.optional === true) return found;
  const where = `${configMapKeyRef === undefined ? "Secret" : "ConfigMap"} ${pod.metadata.namespace}/${keyRef.name}`;
  throw new MissingReferenceError(`couldn't find key ${keyRef.key} in ${where}`);
}

async function fileValue(reference: FileKeySelector, { envFileValue }: EnvironmentSituation): Promise<string | undefined> {
  if (envFileValue === undefined) return undefined;
  const { path, value } = await envFileValue(reference);
  if (value !== "") return value;
  if (reference.optional === true) return undefined;
  throw notInEnvFile(reference.key, path);
}

/** `$(NAME)` is the value of a known variable; `$$` is a dollar sign; unknown names stay as they are. */
export function expand(text: string, known: ReadonlyMap<string, string>): string {
  // Behind the last bracket nothing is closed: each of many that open would be looked for to the end.
  const end = text.lastIndexOf(")") + 1;
  const replaced = text
    .slice(0, end)
    .replace(/\$\$|\$\(([^)]+)\)/g, (all, name?: string) => (name === undefined ? "$" : (known.get(name) ?? all)));
  return replaced + text.slice(end).replaceAll("$$", () => "$");
}
