import { parseQuantity, quantityValue } from "#apimachinery/resource/quantity.ts";

const PREFIX = "hugepages-";
const STEP = 1024;
const UNITS = ["B", "KB", "MB", "GB", "TB", "PB"];

/** Limits for each size of huge pages that the machine has: none of them where nothing is said (upstream's `GetHugepageLimitsFromResources`). */
export function hugePageLimits(
  limits: Readonly<Record<string, string | number>>,
  sizes: readonly string[],
): readonly { readonly pageSize: string; readonly limit: number }[] {
  const wanted = new Map<string, number>();
  for (const [name, amount] of Object.entries(limits)) {
    if (!name.startsWith(PREFIX)) continue;
    wanted.set(hugePageSizeName(quantityValue(parseQuantity(name.slice(PREFIX.length)))), quantityValue(parseQuantity(amount)));
  }
  return sizes.map((pageSize) => ({ pageSize, limit: wanted.get(pageSize) ?? 0 }));
}

/** As cgroups name a size in bytes: `2MB`, `1GB`. */
export function hugePageSizeName(bytes: number): string {
  let left = bytes;
  let unit = 0;
  while (left >= STEP && left % STEP === 0 && unit < UNITS.length - 1) {
    left /= STEP;
    unit += 1;
  }
  return `${left}${UNITS[unit]}`;
}
