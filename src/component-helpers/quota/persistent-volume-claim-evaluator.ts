import type { PersistentVolumeClaim } from "#api/generated/core/v1.ts";
import { newQuantity, parseQuantity, type Quantity, quantityCompare, quantityRoundUp } from "#apimachinery/resource/quantity.ts";
import type { QuotaEvaluator } from "./evaluator.ts";
import { matchesValue } from "./scopes.ts";

const ONE = newQuantity(1, 0, "DecimalSI");
const COUNT = "count/persistentvolumeclaims";
const CLAIMS = "persistentvolumeclaims";
const STORAGE = "requests.storage";
/** Behind a storage class's name: `gold.storageclass.storage.k8s.io/requests.storage`. */
const CLASS_SUFFIX = ".storageclass.storage.k8s.io/";
const CLASS_ANNOTATION = "volume.beta.kubernetes.io/storage-class";

/** Claims count and use storage, in all and of their class. */
export const persistentVolumeClaimEvaluator: QuotaEvaluator = {
  group: "",
  resource: "persistentvolumeclaims",
  handles: ({ subresource }) => subresource === "" || subresource === "status",
  matchingNames: (names) =>
    names.filter(
      (name) => [COUNT, CLAIMS, STORAGE].includes(name) || [CLAIMS, STORAGE].some((kind) => name.endsWith(CLASS_SUFFIX + kind)),
    ),
  inScope: (requirement, object) => {
    if (requirement.scopeName !== "VolumeAttributesClass") return false;
    const names = attributesClasses(object as PersistentVolumeClaim);
    if (names.length === 0) return matchesValue(requirement, undefined);
    return names.some((name) => matchesValue(requirement, name));
  },
  usage: (object) => {
    const claim = object as PersistentVolumeClaim;
    const usage = new Map<string, Quantity>([
      [CLAIMS, ONE],
      [COUNT, ONE],
    ]);
    const storageClass = claim.metadata?.annotations?.[CLASS_ANNOTATION] ?? claim.spec?.storageClassName ?? "";
    if (storageClass !== "") usage.set(storageClass + CLASS_SUFFIX + CLAIMS, ONE);
    const storage = storageOf(claim);
    if (storage === undefined) return usage;
    usage.set(STORAGE, storage);
    if (storageClass !== "") usage.set(storageClass + CLASS_SUFFIX + STORAGE, storage);
    return usage;
  },
};

/** What is requested, or more while a growth that was taken back is not undone; in whole bytes. */
function storageOf({ spec, status }: PersistentVolumeClaim): Quantity | undefined {
  const given = spec?.resources?.requests?.storage;
  if (given === undefined) return undefined;
  const requested = quantityRoundUp(parseQuantity(given), 0);
  const allocated = status?.allocatedResources?.storage;
  if (allocated === undefined) return requested;
  const held = parseQuantity(allocated);
  return quantityCompare(held, requested) > 0 ? quantityRoundUp(held, 0) : requested;
}

/** The classes that a claim has, had or will have. */
function attributesClasses({ spec, status }: PersistentVolumeClaim): string[] {
  return [
    spec?.volumeAttributesClassName,
    status?.currentVolumeAttributesClassName,
    status?.modifyVolumeStatus?.targetVolumeAttributesClassName,
  ].filter((name): name is string => Boolean(name));
}
