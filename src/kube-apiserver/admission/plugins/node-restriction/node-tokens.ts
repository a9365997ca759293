import type { TokenRequest } from "#api/generated/authentication/v1.ts";
import type { PersistentVolume, PersistentVolumeClaim, Pod, Volume } from "#api/generated/core/v1.ts";
import type { CSIDriver } from "#api/generated/storage/v1.ts";
import { goQuote } from "#apimachinery/validation/field-error.ts";
import type { AdmissionAttributes } from "#apiserver/admission/admission.ts";
import type { Stores } from "#apiserver/registry/resource-set.ts";
import { findPod } from "./node-pods.ts";

/**
 * Why a node may not have this token: it is for pods that run on it, bound to them, and for those whom they speak to
 * (KEP-4412). `mayAsk` grants other audiences. Throws 404 for a pod that is not there.
 */
export async function refusalOfToken(
  node: string,
  { namespace, object }: AdmissionAttributes,
  stores: Stores,
  mayAsk: (audience: string) => Promise<boolean> | boolean,
): Promise<string | undefined> {
  const { spec } = object as unknown as TokenRequest;
  const bound = spec?.boundObjectRef;
  if (bound?.apiVersion !== "v1" || bound.kind !== "Pod" || !bound.name) return "node requested token not bound to a pod";
  if (!bound.uid) return "node requested token with a pod binding without a uid";
  const pod = findPod(stores, namespace, bound.name);
  if (bound.uid !== pod.metadata?.uid) {
    return `the UID in the bound object reference (${bound.uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== node) return "node requested token bound to a pod scheduled on a different node";
  const [audience = "", ...more] = spec?.audiences ?? [];
  if (more.length > 0) return "node may only request 0 or 1 audiences";
  if (audiencesOf(pod, stores).has(audience) || (await mayAsk(audience))) return undefined;
  return `audience ${goQuote(audience)} not found in pod spec volume`;
}

/** For whom a pod's volumes hold tokens: those that are projected, and those that storage drivers are given. */
function audiencesOf(pod: Pod, stores: Stores): ReadonlySet<string> {
  const volumes = pod.spec?.volumes ?? [];
  const projected = volumes
    .flatMap(({ projected }) => projected?.sources ?? [])
    .flatMap(({ serviceAccountToken }) => (serviceAccountToken === undefined ? [] : [serviceAccountToken.audience ?? ""]));
  const drivers = volumes.flatMap((volume) => driverOf(pod, volume, stores) ?? []);
  const given = drivers.flatMap((name) => {
    const driver = stores.of<CSIDriver>("storage.k8s.io", "csidrivers").cached("", name);
    return (driver?.spec?.tokenRequests ?? []).map(({ audience }) => audience ?? "");
  });
  return new Set([...projected, ...given]);
}

function driverOf(pod: Pod, volume: Volume, stores: Stores): string | undefined {
  if (volume.csi !== undefined) return volume.csi.driver;
  const claimName = volume.ephemeral ? `${pod.metadata?.name}-${volume.name}` : volume.persistentVolumeClaim?.claimName;
  if (claimName === undefined) return undefined;
  const claim = stores.of<PersistentVolumeClaim>("", "persistentvolumeclaims").cached(pod.metadata?.namespace ?? "", claimName);
  const name = claim?.spec?.volumeName;
  return name ? stores.of<PersistentVolume>("", "persistentvolumes").cached("", name)?.spec?.csi?.driver : undefined;
}
