import { parseGoDuration } from "#apimachinery/go-duration.ts";
import {
  newQuantity,
  parseQuantity,
  type Quantity,
  quantityAdd,
  quantityCompare,
  quantitySign,
  quantityValue,
} from "#apimachinery/resource/quantity.ts";
import type { KubeletConfiguration } from "../configuration/kubelet-configuration.ts";
import { isSignal, type Observations, type Signal } from "./signals.ts";

/** An amount, or a share of what there is. */
export type ThresholdValue = { readonly quantity: Quantity } | { readonly share: number };

/** When there is too little of something. */
export interface Threshold {
  readonly signal: Signal;
  readonly value: ThresholdValue;
  /** How long it may last, in milliseconds; 0: a hard one, on which is acted at once. */
  readonly graceMs: number;
  /** What is freed beyond the threshold, once it was met. */
  readonly minReclaim?: ThresholdValue;
}

type Settings = Pick<
  KubeletConfiguration,
  "evictionHard" | "evictionSoft" | "evictionSoftGracePeriod" | "evictionMinimumReclaim" | "enforceNodeAllocatable"
>;

/** The thresholds of a configuration (upstream's `ParseThresholdConfig`). Throws what is wrong with it. */
export function parseThresholds(settings: Settings): readonly Threshold[] {
  const { evictionHard = {}, evictionSoft = {}, evictionSoftGracePeriod = {}, evictionMinimumReclaim = {} } = settings;
  const hard = Object.entries(evictionHard).flatMap(([signal, text]) => thresholdOf(signal, text, 0, evictionMinimumReclaim));
  const soft = Object.entries(evictionSoft).flatMap(([signal, text]) => {
    const grace = evictionSoftGracePeriod[signal];
    if (grace === undefined) throw new Error(`grace period must be specified for the soft eviction threshold ${signal}`);
    return thresholdOf(signal, text, parseGoDuration(grace), evictionMinimumReclaim);
  });
  const all = [...hard, ...soft];
  if (!settings.enforceNodeAllocatable.includes("pods")) return all;
  // What pods may have together is a machine of its own.
  const ofPods = hard.filter(({ signal }) => signal === "memory.available");
  return [...all, ...ofPods.map((one): Threshold => ({ ...one, signal: "allocatableMemory.available" }))];
}

/** A threshold in the units of its signal. */
export function quantityOf(value: ThresholdValue, capacity: Quantity): Quantity {
  if ("quantity" in value) return value.quantity;
  return newQuantity(Math.trunc(quantityValue(capacity) * value.share), 0, "BinarySI");
}

/** Those that are met now; `reclaiming`: until so much more is free as is to be reclaimed. */
export function metThresholds(
  thresholds: readonly Threshold[],
  observations: Observations,
  reclaiming: boolean,
): readonly Threshold[] {
  return thresholds.filter(({ signal, value, minReclaim }) => {
    const observed = observations.get(signal);
    if (observed === undefined) return false;
    const own = quantityOf(value, observed.capacity);
    const wanted = reclaiming && minReclaim !== undefined ? quantityAdd(own, quantityOf(minReclaim, observed.capacity)) : own;
    return quantityCompare(wanted, observed.available) > 0;
  });
}

function thresholdOf(
  signal: string,
  text: string,
  graceMs: number,
  reclaims: Readonly<Record<string, string>>,
): readonly Threshold[] {
  if (!isSignal(signal)) throw new Error(`unsupported eviction signal ${signal}`);
  // Upstream's way to say: never.
  if (text === "0%" || text === "100%") return [];
  const value = parseValue(text);
  if ("quantity" in value && quantitySign(value.quantity) <= 0) {
    throw new Error(`eviction threshold ${signal} must be positive: ${text}`);
  }
  const reclaim = reclaims[signal];
  return [{ signal, value, graceMs, ...(reclaim === undefined ? {} : { minReclaim: parseValue(reclaim) }) }];
}

function parseValue(text: string): ThresholdValue {
  // Upstream counts shares in 32 bits.
  return text.endsWith("%")
    ? { share: Math.fround(Math.fround(Number(text.slice(0, -1))) / 100) }
    : { quantity: parseQuantity(text) };
}
