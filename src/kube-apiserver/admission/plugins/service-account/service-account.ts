import type { Container, Pod, PodSpec, ServiceAccount, Volume } from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import {
  type AdmissionAttributes,
  type AdmissionModules,
  type AdmissionPluginFactory,
  admissionForbidden,
} from "#apiserver/admission/admission.ts";
import { generateName } from "#apiserver/registry/store/generate-name.ts";

const DEFAULT_ACCOUNT = "default";
const TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const VOLUME_PREFIX = "kube-api-access-";
/** One hour and seven seconds, which tells injected tokens from requested ones. */
const TOKEN_SECONDS = 3607;
const MIRROR_ANNOTATION = "kubernetes.io/config.mirror";
/** A new namespace's default account may still be on its way. */
const LOOKUP_ATTEMPTS_MAX = 10;
const LOOKUP_PAUSE_MS = 100;

/** Every pod runs as a service account and can reach the API with its token. */
export const serviceAccount: AdmissionPluginFactory = (modules) => ({
  name: "ServiceAccount",
  mutate: async (attributes) => {
    if (!concerns(attributes)) return;
    const pod = attributes.object as unknown as Draft<Pod>;
    if (isMirror(pod)) return checkMirror(attributes, pod);
    const { spec } = pod;
    if (spec === undefined) return;
    if (!spec.serviceAccountName) spec.serviceAccountName = DEFAULT_ACCOUNT;
    spec.serviceAccount = spec.serviceAccountName;
    const account = await findAccount(modules, attributes, spec.serviceAccountName);
    if (spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true) mountToken(modules, spec);
    if ((spec.imagePullSecrets?.length ?? 0) === 0 && (account.imagePullSecrets?.length ?? 0) > 0) {
      spec.imagePullSecrets = (account.imagePullSecrets ?? []).map((secret) => ({ ...secret }));
    }
  },
});

function concerns({ operation, group, resource, subresource }: AdmissionAttributes): boolean {
  return operation === "CREATE" && group === "" && resource === "pods" && subresource === "";
}

function isMirror(pod: Draft<Pod>): boolean {
  return pod.metadata?.annotations?.[MIRROR_ANNOTATION] !== undefined;
}

/** Mirror pods show what runs without the API's consent: they may not refer to anything in it. */
function checkMirror(attributes: AdmissionAttributes, { spec }: Draft<Pod>): void {
  const refuse = (text: string): Error => admissionForbidden(attributes, `a mirror pod may not ${text}`);
  if (spec === undefined) return;
  if (spec.serviceAccountName) throw refuse("reference service accounts");
  const text = JSON.stringify(spec);
  if (/"(?:secret|secretRef|secretKeyRef|imagePullSecrets)":/.test(text)) throw refuse("reference secrets");
  if (/"(?:configMap|configMapRef|configMapKeyRef)":/.test(text)) throw refuse("reference configmaps");
  for (const volume of spec.volumes ?? []) {
    if (volume.persistentVolumeClaim !== undefined) throw refuse("reference persistentvolumeclaims");
    if (volume.projected?.sources?.some((source) => source.serviceAccountToken !== undefined)) {
      throw refuse("use ServiceAccountToken volume projections");
    }
  }
}

async function findAccount(
  { stores, clock }: AdmissionModules,
  attributes: AdmissionAttributes,
  name: string,
): Promise<ServiceAccount> {
  const attempts = name === DEFAULT_ACCOUNT ? LOOKUP_ATTEMPTS_MAX : 1;
  for (let attempt = 1; ; attempt++) {
    const account = stores.of<ServiceAccount>("", "serviceaccounts").cached(attributes.namespace, name);
    if (account !== undefined) return account;
    if (attempt >= attempts) {
      const place = `${attributes.namespace}/${name}`;
      throw admissionForbidden(attributes, `error looking up service account ${place}: serviceaccount "${name}" not found`);
    }
    await clock.sleep(LOOKUP_PAUSE_MS, attributes.context.signal);
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
