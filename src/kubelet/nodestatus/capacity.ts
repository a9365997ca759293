import {
  formatQuantity,
  newQuantity,
  parseQuantity,
  type Quantity,
  quantityAdd,
  quantitySign,
  quantitySub,
  quantityValue,
  ZERO_QUANTITY,
} from "#apimachinery/resource/quantity.ts";
import type { AmountTexts, KubeletConfiguration } from "../configuration/kubelet-configuration.ts";
import type { MachineInfo } from "./machine.ts";

type Settings = Pick<
  KubeletConfiguration,
  "maxPods" | "podsPerCore" | "kubeReserved" | "systemReserved" | "evictionHard" | "localStorageCapacityIsolation"
>;

const KIB_PER_MIB = 1024;
const KIB_PER_GIB: number = 1024 * 1024;

/** What a node has, as quantities (upstream's `MachineInfo` setter). `diskBytes` is the size of the kubelet's file system. */
export function capacityOf(machine: MachineInfo, diskBytes: number, settings: Settings): AmountTexts {
  const { maxPods, podsPerCore = 0 } = settings;
  const pods = podsPerCore > 0 ? Math.min(machine.cpus * podsPerCore, maxPods) : maxPods;
  const pages = Object.entries(machine.hugePages).map(([kib, count]) => {
    const bytes = Number(kib) * 1024 * count;
    return [`hugepages-${pageSize(Number(kib))}`, binary(bytes)] as const;
  });
  return {
    cpu: String(machine.cpus),
    ...(settings.localStorageCapacityIsolation ? { "ephemeral-storage": binary(diskBytes) } : {}),
    ...Object.fromEntries(pages),
    memory: binary(machine.memoryBytes),
    pods: String(pods),
  };
}

/**
 * What pods may have of it: less what is kept back for other programs, less what evictions keep free, and memory less huge
 * pages. `ignoreEviction` is `--experimental-allocatable-ignore-eviction`.
 */
export function allocatableOf(capacity: AmountTexts, settings: Settings, ignoreEviction = false): AmountTexts {
  const { kubeReserved = {}, systemReserved = {}, evictionHard = {} } = settings;
  const kept = [systemReserved, kubeReserved, ...(ignoreEviction ? [] : [evictionReservation(evictionHard, capacity)])];
  const left = new Map<string, Quantity>();
  for (const [name, amount] of Object.entries(capacity)) {
    const away = kept.reduce<Quantity>((sum, one) => quantityAdd(sum, parseQuantity(one[name] ?? "0")), ZERO_QUANTITY);
    left.set(name, atLeastZero(quantitySub(parseQuantity(amount), away)));
  }
  for (const [name, amount] of Object.entries(capacity)) {
    const memory = left.get("memory");
    if (!name.startsWith("hugepages-") || memory === undefined) continue;
    left.set("memory", atLeastZero(quantitySub(memory, parseQuantity(amount))));
  }
  return Object.fromEntries([...left].map(([name, quantity]) => [name, formatQuantity(quantity)]));
}

/** What evictions keep free of memory and of the disk (upstream's `hardEvictionReservation`). */
function evictionReservation(evictionHard: AmountTexts, capacity: AmountTexts): AmountTexts {
  const signals = { "memory.available": "memory", "nodefs.available": "ephemeral-storage" };
  return Object.fromEntries(
    Object.entries(signals).flatMap(([signal, resource]) => {
      const threshold = evictionHard[signal];
      const whole = capacity[resource];
      return threshold === undefined || whole === undefined ? [] : [[resource, thresholdAmount(threshold, whole)]];
    }),
  );
}

function thresholdAmount(threshold: string, whole: string): string {
  if (!threshold.endsWith("%")) return threshold;
  // Upstream counts shares in 32 bits.
  const share = Math.fround(Math.fround(Number(threshold.slice(0, -1))) / 100);
  return binary(Math.trunc(quantityValue(parseQuantity(whole)) * share));
}

function atLeastZero(quantity: Quantity): Quantity {
  return quantitySign(quantity) < 0 ? { ...ZERO_QUANTITY, format: quantity.format } : quantity;
}

function binary(bytes: number): string {
  return formatQuantity(newQuantity(bytes, 0, "BinarySI"));
}

function pageSize(kib: number): string {
  if (kib % KIB_PER_GIB === 0) return `${kib / KIB_PER_GIB}Gi`;
  return kib % KIB_PER_MIB === 0 ? `${kib / KIB_PER_MIB}Mi` : `${kib}Ki`;
}
