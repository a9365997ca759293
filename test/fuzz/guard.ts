import { check, FaultError, type FuzzTarget } from "./target.ts";

/** CPU time for one input. Counters and a lowered syntax make a bundle some ten times slower than the code itself. */
export const INPUT_MS_MAX = 1000;
/** Memory that one input may leave or take, in bytes. */
const INPUT_BYTES_MAX = 256 * 1024 * 1024;

const PROTOTYPES: readonly object[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Map.prototype,
  Error.prototype,
];
const PRISTINE = PROTOTYPES.map(describe);

function describe(prototype: object): string {
  return Reflect.ownKeys(prototype)
    .map((key) => {
      const { value, get, set } = Object.getOwnPropertyDescriptor(prototype, key) ?? {};
      return `${String(key)}=${typeof (value ?? get ?? set)}`;
    })
    .join(",");
}

/**
 * Gives a target one input and looks at what no parser may do: change a prototype that all objects share, take long, take much
 * memory. `slowness` is how much slower than usual the code runs.
 */
export function runGuarded(target: FuzzTarget, bytes: Buffer, slowness = 1): void {
  const { user, system } = process.cpuUsage();
  const before = process.memoryUsage().rss;
  target.run(bytes);
  const after = process.cpuUsage();
  const ms = (after.user + after.system - user - system) / 1000;
  if (ms > (target.maxMs ?? INPUT_MS_MAX) * slowness) throw new FaultError(`took ${Math.round(ms)} ms of CPU time`);
  const grown = process.memoryUsage().rss - before;
  check(grown < INPUT_BYTES_MAX, `took ${Math.round(grown / 1024 / 1024)} MiB`);
  PROTOTYPES.forEach((prototype, i) => {
    check(describe(prototype) === PRISTINE[i], `changed a prototype: ${describe(prototype)}`);
  });
}
