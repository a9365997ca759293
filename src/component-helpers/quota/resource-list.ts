import {
  formatQuantity,
  parseQuantity,
  type Quantity,
  quantityAdd,
  quantityCompare,
  quantitySub,
  ZERO_QUANTITY,
} from "#apimachinery/resource/quantity.ts";

/** Amounts by resource name: upstream's `ResourceList`, read. */
export type ResourceList = ReadonlyMap<string, Quantity>;

/** Reads the amounts of an API object. */
export function parseResourceList(list: Readonly<Record<string, string | number>> | undefined): ResourceList {
  return new Map(Object.entries(list ?? {}).map(([name, value]) => [name, parseQuantity(value)]));
}

/** As an API object holds it, by name. */
export function formatResourceList(list: ResourceList): Record<string, string> {
  return Object.fromEntries(sortedEntries(list).map(([name, value]) => [name, formatQuantity(value)]));
}

/** `cpu=1,memory=2Gi`, by name. */
export function resourceListText(list: ResourceList): string {
  return sortedEntries(list)
    .map(([name, value]) => `${name}=${formatQuantity(value)}`)
    .join(",");
}

/** The sum, with every name of both. */
export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const sum = new Map(a);
  for (const [name, value] of b) {
    const old = sum.get(name);
    sum.set(name, old === undefined ? value : quantityAdd(old, value));
  }
  return sum;
}

/** `a` less `b`, with every name of both; nought where that would be less. */
export function subtractLists(a: ResourceList, b: ResourceList): ResourceList {
  const rest = new Map<string, Quantity>();
  for (const name of [...a.keys(), ...b.keys()]) {
    const value = quantitySub(a.get(name) ?? ZERO_QUANTITY, b.get(name) ?? ZERO_QUANTITY);
    rest.set(name, value.unscaled > 0n ? value : ZERO_QUANTITY);
  }
  return rest;
}

/** The part whose names are wanted. */
export function maskList(list: ResourceList, names: Iterable<string>): ResourceList {
  const wanted = new Set(names);
  return new Map([...list].filter(([name]) => wanted.has(name)));
}

/** Without what is nought. */
export function withoutZeros(list: ResourceList): ResourceList {
  return new Map([...list].filter(([, { unscaled }]) => unscaled !== 0n));
}

/** Whether both name the same resources with the same amounts, however written. */
export function equalLists(a: ResourceList, b: ResourceList): boolean {
  if (a.size !== b.size) return false;
  return [...a].every(([name, value]) => {
    const other = b.get(name);
    return other !== undefined && quantityCompare(value, other) === 0;
  });
}

/** The names whose amount is greater than its limit. What has no limit never is. */
export function exceededNames(amounts: ResourceList, limits: ResourceList): string[] {
  return [...amounts].flatMap(([name, value]) => {
    const limit = limits.get(name);
    return limit !== undefined && quantityCompare(value, limit) > 0 ? [name] : [];
  });
}

function sortedEntries(list: ResourceList): (readonly [string, Quantity])[] {
  return [...list].sort(([a], [b]) => (a < b ? -1 : 1));
}
