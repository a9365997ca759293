import type { Taint } from "#api/generated/core/v1.ts";
import { FlagError } from "#component-base/flags.ts";

/** `name=value` pairs. Throws a {@link FlagError} for what is none. */
export function readPairs(flag: string, items: readonly string[]): Readonly<Record<string, string>> {
  return separated(flag, items, "=");
}

/** `signal<value` pairs, as thresholds are written. Throws a {@link FlagError} for what is none. */
export function readThresholds(flag: string, items: readonly string[]): Readonly<Record<string, string>> {
  return separated(flag, items, "<");
}

/** `Name=true|false` pairs. Throws a {@link FlagError} for what is none. */
export function readSwitches(flag: string, items: readonly string[]): Readonly<Record<string, boolean>> {
  const pairs = Object.entries(separated(flag, items, "="));
  return Object.fromEntries(
    pairs.map(([name, value]) => {
      if (/^(true|t|1)$/i.test(value)) return [name, true];
      if (/^(false|f|0)$/i.test(value)) return [name, false];
      throw new FlagError(`flag --${flag} takes pairs such as Name=true, not "${name}=${value}"`);
    }),
  );
}

/** `Name:value` pairs; a name may come several times. Throws a {@link FlagError} for what is none. */
export function readHeaders(flag: string, items: readonly string[]): Readonly<Record<string, readonly string[]>> {
  const headers: Record<string, string[]> = {};
  for (const item of items) {
    const at = item.indexOf(":");
    if (at < 1) throw new FlagError(`flag --${flag} takes pairs such as name:value, not "${item}"`);
    const name = item.slice(0, at).trim();
    headers[name] = [...(headers[name] ?? []), item.slice(at + 1).trim()];
  }
  return headers;
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

/** Taints as kubectl writes them: `key=value:effect`, `key:effect`. Throws a {@link FlagError} for what is none. */
export function readTaints(flag: string, items: readonly string[]): readonly Taint[] {
  return items.map((item) => {
    const [, key = "", value, effect = ""] = /^([^=:]+)(?:=([^:]*))?:(\w+)$/.exec(item) ?? [];
    if (key === "" || !EFFECTS.includes(effect))
      throw new FlagError(`flag --${flag} takes taints such as key=value:NoSchedule, not "${item}"`);
    return { key, ...(value === undefined || value === "" ? {} : { value }), effect };
  });
}

function separated(flag: string, items: readonly string[], separator: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    items.map((item) => {
      const at = item.indexOf(separator);
      if (at < 1) throw new FlagError(`flag --${flag} takes pairs such as name${separator}value, not "${item}"`);
      return [item.slice(0, at).trim(), item.slice(at + 1).trim()];
    }),
  );
}
