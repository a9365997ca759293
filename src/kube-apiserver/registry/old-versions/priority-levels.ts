import type { ApiObject } from "#apimachinery/meta/api-object.ts";

const DEFAULT_SHARES = 30;
/** Says in `v1beta3` that no shares are meant, where 0 would be the default. */
const PRESERVE_ZERO = "flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares";

type Limited = { assuredConcurrencyShares?: number; nominalConcurrencyShares?: number };
type SetDefaults = (object: ApiObject, today: (object: ApiObject) => void) => void;

function limitedOf(object: ApiObject): Limited | undefined {
  return (object.spec as { limited?: Limited } | undefined)?.limited;
}

/** `v1beta1` and `v1beta2`, which call the shares assured. */
export const assuredDefaults: SetDefaults = (object, today) => {
  const limited = limitedOf(object);
  if (limited !== undefined) limited.assuredConcurrencyShares ||= DEFAULT_SHARES;
  today(object);
  delete limited?.nominalConcurrencyShares;
};

/** From `v1beta1` and `v1beta2`. */
export function fromAssured(object: ApiObject): ApiObject {
  const limited = limitedOf(object);
  if (limited === undefined) return object;
  limited.nominalConcurrencyShares = limited.assuredConcurrencyShares ?? 0;
  delete limited.assuredConcurrencyShares;
  return object;
}

/** To `v1beta1` and `v1beta2`. */
export function toAssured(object: ApiObject): ApiObject {
  const limited = limitedOf(object);
  if (limited === undefined) return object;
  limited.assuredConcurrencyShares = limited.nominalConcurrencyShares ?? 0;
  delete limited.nominalConcurrencyShares;
  return object;
}

/** `v1beta3`: without shares means the default, unless an annotation says that none are meant. */
export const nominalDefaults: SetDefaults = (object, today) => {
  const limited = limitedOf(object);
  if (limited !== undefined && object.metadata.annotations?.[PRESERVE_ZERO] === undefined) {
    limited.nominalConcurrencyShares ||= DEFAULT_SHARES;
  } else if (limited !== undefined) limited.nominalConcurrencyShares ??= 0;
  today(object);
};

/** From `v1beta3`. */
export function fromNominal(object: ApiObject): ApiObject {
  const { [PRESERVE_ZERO]: preserve, ...annotations } = object.metadata.annotations ?? {};
  if (preserve === undefined) return object;
  if (Object.keys(annotations).length > 0) object.metadata.annotations = annotations;
  else delete object.metadata.annotations;
  return object;
}

/** To `v1beta3`. */
export function toNominal(object: ApiObject): ApiObject {
  if (limitedOf(object)?.nominalConcurrencyShares === 0) {
    object.metadata.annotations = { ...object.metadata.annotations, [PRESERVE_ZERO]: "" };
  }
  return object;
}
