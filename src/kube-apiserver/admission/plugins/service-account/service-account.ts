import type { Container, Pod, PodSpec, ServiceAccount, Volume } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import {
  type AdmissionAttributes,
  type AdmissionModules,
  type AdmissionPluginFactory,
  admissionForbidden,
} from "#apiserver/admission/admission.ts";
import { generateName } from "#apiserver/registry/store/generate-name.ts";
import { forbiddenOfMirrorPod, isMirrorPod } from "./mirror-pod.ts";
import { enforcesMountableSecrets, unlistedSecret, unlistedSecretOfEphemeral } from "./mountable-secrets.ts";

const DEFAULT_ACCOUNT = "default";
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
/** One hour and seven seconds, which tells injected tokens from requested ones. */
const TOKEN_SECONDS = 3607;
/** A new namespace's default account may still be on its way. */
const LOOKUP_ATTEMPTS_MAX = 10;
const LOOKUP_PAUSE_MS = 100;

/** Every pod runs as a service account, can reach the API with its token, and uses no Secrets that the account forbids. */
export const serviceAccount: AdmissionPluginFactory = (modules) => ({
  name: "ServiceAccount",
  mutate: (attributes) => {
    if (!isNewPod(attributes)) return;
    const pod = attributes.object as unknown as Draft<Pod>;
    if (isMirrorPod(pod)) return refuse(attributes, forbiddenOfMirrorPod(pod));
    const { spec } = pod;
    if (spec === undefined) return;
    if (!spec.serviceAccountName) spec.serviceAccountName = DEFAULT_ACCOUNT;
    spec.serviceAccount = spec.serviceAccountName;
    return withAccount(modules, attributes, spec.serviceAccountName, (account) => {
      if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(modules, spec);
      if ((spec.imagePullSecrets?.length ?? 0) === 0 && (account.imagePullSecrets?.length ?? 0) > 0) {
        spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((secret) => ({ ...secret }));
      }
      if (enforcesMountableSecrets(account)) refuse(attributes, unlistedSecret(pod, account));
    });
  },
  // Once more, since webhooks may have changed the pod.
  validate: (attributes) => {
    const isNew = isNewPod(attributes);
    if (!isNew && !addsContainers(attributes)) return;
    const pod = attributes.object as unknown as Pod;
    if (isNew && isMirrorPod(pod)) return refuse(attributes, forbiddenOfMirrorPod(pod));
    const name = pod.spec?.serviceAccountName ?? "";
    if (name === "") {
      return refuse(attributes, `no service account specified for pod ${attributes.namespace}/${pod.metadata?.name ?? ""}`);
    }
    return withAccount(modules, attributes, name, (account) => {
      if (!enforcesMountableSecrets(account)) return;
      refuse(attributes, isNew ? unlistedSecret(pod, account) : unlistedSecretOfEphemeral(pod, account));
    });
  },
});

function isNewPod({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  return operation === "CREATE" && group === "" && resource === "pods" && subresource === "";
}

function addsContainers({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  return operation === "UPDATE" && group === "" && resource === "pods" && subresource === "ephemeralcontainers";
}

function refuse(attributes: AdmissionAttributes, reason: string | undefined): void {
  if (reason !== undefined) throw admissionForbidden(attributes, reason);
}

/** Calls `use` with the account: at once where it is there, as it nearly always is. */
function withAccount(
  modules: AdmissionModules,
  attributes: AdmissionAttributes,
  name: string,
  use: (account: ServiceAccount) => void,
): Promise<void> | undefined {
  const known = cachedAccount(modules, attributes, name);
  if (known === undefined) return findAccount(modules, attributes, name).then(use);
  use(known);
  return undefined;
}

function cachedAccount(
  { stores }: AdmissionModules,
  { namespace }: AdmissionAttributes,
  name: string,
): ServiceAccount | undefined {
  return stores.of<ServiceAccount>("", "serviceaccounts").cached(namespace, name);
}

async function findAccount(modules: AdmissionModules, attributes: AdmissionAttributes, name: string): Promise<ServiceAccount> {
  const attempts = name === DEFAULT_ACCOUNT ? LOOKUP_ATTEMPTS_MAX : 1;
  for (let attempt = 1; ; attempt++) {
    const account = cachedAccount(modules, attributes, name);
    if (account !== undefined) return account;
    if (attempt >= attempts) {
      const place = `${attributes.namespace}/${name}`;
      throw admissionForbidden(attributes, `error looking up service account ${place}: serviceaccount "${name}" not found`);
    }
    await modules.clock.sleep(LOOKUP_PAUSE_MS, attributes.context.signal);
  }
}

function mountToken({ random }: AdmissionModules, spec: Draft<PodSpec>): void {
  const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const without = containers.filter((container) => !container.volumeMounts?.some(({ mountPath }) => mountPath === TOKEN_PATH));
  if (without.length === 0) return;
  const existing = spec.volumes?.find((volume) => volume.name?.startsWith(VOLUME_PREFIX));
  const name = existing?.name ?? generateName(random, VOLUME_PREFIX);
  for (const container of without) addMount(container, name);
  if (existing === undefined) spec.volumes = [...(spec.volumes ?? []), tokenVolume(name)];
}

function addMount(container: Draft<Container>, name: string): void {
  container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath: TOKEN_PATH }];
}

function tokenVolume(name: string): Draft<Volume> {
  return {
    name,
    projected: {
      sources: [
        { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
        { configMap: { name: "kube-root-ca.crt", items: [{ key: "ca.crt", path: "ca.crt" }] } },
        { downwardAPI: { items: [{ path: "namespace", fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" } }] } },
      ],
      defaultMode: 420,
    },
  };
}
