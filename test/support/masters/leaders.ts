import type { Lease } from "#api/generated/coordination/v1.ts";
import { realClock } from "#base/clock.ts";
import type { Client, ResourceId } from "#client/client.ts";
import { successions } from "../history/leadership.ts";
import { eventually } from "../kubectl.ts";
import { type Elected, leaseChanges, leaseGaps, machineOf } from "./elected.ts";
import type { MachineProcess } from "./machine-process.ts";
import { RECOVERY_MS, type Seen } from "./seen.ts";

export const LEASES: ResourceId = { group: "coordination.k8s.io", version: "v1", resource: "leases" };
/** For as long a connection may go on being silent that was cut: its next attempt to send is as far off as the cut was long, and more. */
const SILENT_CONNECTION_MS = 60_000;
/** As a leader waits for the answers to its last writes. */
const LATE_ANSWER_MS = 5_000;

/** Who leads among the controller managers, and among the schedulers. */
export class Leaders {
  readonly #seen: Seen;

  constructor(seen: Seen) {
    this.#seen = seen;
  }

  /** Which machine leads, by its Lease; undefined when that cannot be learned or nobody does. */
  async current(name: Elected, client: Client): Promise<MachineProcess | undefined> {
    const lease = await client.get<Lease>(LEASES, "kube-system", name).catch(() => undefined);
    const host = machineOf(lease?.spec?.holderIdentity ?? "");
    return this.#candidates(name).find((process) => process.name === host);
  }

  /** Resolves with the machine that leads, when it is seen to renew its Lease: one that is started anew leaves a Lease behind that nobody holds any more. */
  async steady(name: Elected, client: Client, timeoutMs: number): Promise<MachineProcess> {
    let first: Lease | undefined;
    const renewing = async (): Promise<MachineProcess | undefined> => {
      const lease = await client.get<Lease>(LEASES, "kube-system", name);
      const { holderIdentity = "", renewTime } = lease.spec ?? {};
      if (holderIdentity !== first?.spec?.holderIdentity) first = lease;
      if (holderIdentity === "" || renewTime === first?.spec?.renewTime) return undefined;
      return this.#candidates(name).find((process) => process.name === machineOf(holderIdentity));
    };
    return (await eventually(renewing, timeoutMs, `${name} has a leader`)) as MachineProcess;
  }

  /**
   * Begins to look whether a leader gives its Lease back; what is returned rejects when another has got it otherwise. It may keep it
   * while a write of its term is unanswered, as on a connection that was cut: it has to say so, and there has to have been such a thing.
   */
  givenBack(name: Elected, leader: MachineProcess): () => Promise<void> {
    const watcher = this.#seen.leases[name];
    const { until } = watcher;
    const machine = leader.name;
    const beganMs = performance.now();
    return async () => {
      const since = (): readonly string[] =>
        successions(leaseChanges(watcher).filter(({ revision }) => revision > until)).map(({ holder }) => holder);
      await eventually(
        () => since().some((holder) => holder !== machine && holder !== ""),
        RECOVERY_MS,
        `another ${name} is told of`,
      );
      if (leaseGaps(watcher).some((gap) => gap.after >= until)) return;
      const next = since().find((holder) => holder !== machine);
      if (next === "") return;
      const said = leader.output.split("\n").find((line) => line.includes('"Failed to release lease"')) ?? "";
      const isUnanswered = / writes of the term had no answer within /.test(said);
      if (isUnanswered && this.#answersMayBeLate(beganMs)) return;
      throw new Error(`${machine} did not give the Lease of ${name} back (${said}): ${since().join(", ")}`);
    };
  }

  /** Something was cut off a while ago, whose connections may still be silent; or others have met late answers, too. */
  #answersMayBeLate(since: number): boolean {
    const reconnected = [...this.#seen.reconnections.values()].flat();
    const wasCut = reconnected.some((atMs) => realClock.now() - atMs < SILENT_CONNECTION_MS);
    return wasCut || this.#seen.recording.slowestSince(since) > LATE_ANSWER_MS;
  }

  #candidates(name: Elected): readonly MachineProcess[] {
    return name === "kube-scheduler" ? this.#seen.masters.schedulers : this.#seen.masters.managers;
  }
}
