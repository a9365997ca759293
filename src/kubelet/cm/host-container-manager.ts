import type { Container, Pod } from "#api/generated/core/v1.ts";
import { parseQuantity, quantityMilliValue, quantityValue } from "#apimachinery/resource/quantity.ts";
import type { Logger } from "#component-base/logging.ts";
import type { LinuxContainerResources } from "#cri/linux-config.ts";
import type { AmountTexts } from "../configuration/kubelet-configuration.ts";
import { type CgroupDriver, CgroupError } from "./cgroup-driver.ts";
import { type CgroupName, PODS_CGROUP, podCgroup, podUidOf, QOS_CGROUPS, qosCgroup } from "./cgroup-names.ts";
import type { CgroupSettings } from "./cgroup-settings.ts";
import type { ContainerManager } from "./container-manager.ts";
import { containerResources, type ResourceSettings } from "./container-resources.ts";
import { SHARES_MIN, sharesOf } from "./cpu-units.ts";
import { hugePageSizeName } from "./huge-pages.ts";
import { podCpuMilli, podSettings } from "./pod-settings.ts";
import { type QosClass, qosClassOf } from "./quality-of-service.ts";

/** Cgroups of other programs whose amounts are enforced too. */
export interface ReservedCgroup {
  readonly name: CgroupName;
  readonly amounts: AmountTexts;
}

/** What a {@link HostContainerManager} is made of. */
export interface HostContainerManagerOptions {
  readonly capacity: AmountTexts;
  /** What of it is for pods. */
  readonly allocatable: AmountTexts;
  /** The same without what evictions keep free: what the kernel enforces for all pods together. */
  readonly enforced: AmountTexts;
  readonly resources: ResourceSettings;
  /** Undefined: cgroups are left to the runtime. */
  readonly driver: CgroupDriver | undefined;
  /** Under which the cgroup of pods is. */
  readonly root: CgroupName;
  /** Whether what pods have together is limited. */
  readonly enforcesPods: boolean;
  readonly reserved: readonly ReservedCgroup[];
  /** Most processes of a pod. */
  readonly podPidsMax: number | undefined;
  readonly logger: Logger;
}

interface KnownPod {
  readonly qos: QosClass;
  readonly cpuMilli: number;
}

/**
 * The cgroups of a node: `kubepods`, below it one for each class, and one for each pod (upstream's `containerManagerImpl`,
 * `qosContainerManagerImpl` and `podContainerManagerImpl`).
 */
export class HostContainerManager implements ContainerManager {
  readonly #options: HostContainerManagerOptions;
  readonly #pods = new Map<string, KnownPod>();
  #burstableShares = 0;
  /** Changes of the classes' cgroups, one after the other. */
  #turn: Promise<void> = Promise.resolve();

  constructor(options: HostContainerManagerOptions) {
    this.#options = options;
  }

  /** Rejects with a {@link CgroupError} where cgroups cannot be written. */
  async start(): Promise<void> {
    const { driver, root, reserved } = this.#options;
    if (driver === undefined) return;
    if (root.length > 0 && !(await driver.exists(root))) {
      throw new CgroupError(`the cgroup root ${driver.parentText(root)} is not there: make it, or leave --cgroup-root out`);
    }
    await driver.apply([...root, PODS_CGROUP], this.#podsSettings());
    for (const name of QOS_CGROUPS) await driver.apply([...root, PODS_CGROUP, name], { cpuShares: SHARES_MIN });
    for (const { name, amounts } of reserved) {
      if (!(await driver.exists(name))) throw new CgroupError(`the cgroup ${driver.parentText(name)} is not there`);
      await driver.apply(name, limitsOf(amounts));
    }
  }

  async ensurePodCgroup(pod: Pod): Promise<string> {
    const { driver, root } = this.#options;
    if (driver === undefined) return "";
    const uid = pod.metadata.uid ?? "";
    const qos = this.#pods.get(uid)?.qos ?? qosClassOf(pod);
    const name = podCgroup(root, qos, uid);
    await driver.apply(name, this.#podSettings(pod));
    this.#pods.set(uid, { qos, cpuMilli: podCpuMilli(pod) });
    await this.#updateClasses();
    return driver.parentText(name);
  }

  async removePodCgroup(podUid: string): Promise<void> {
    const { driver, root } = this.#options;
    if (driver === undefined) return;
    const known = this.#pods.get(podUid);
    const classes: readonly QosClass[] = known === undefined ? ["Guaranteed", "Burstable", "BestEffort"] : [known.qos];
    for (const qos of classes) await driver.remove(podCgroup(root, qos, podUid));
    this.#pods.delete(podUid);
    await this.#updateClasses();
  }

  async cleanUp(known: ReadonlySet<string>): Promise<void> {
    const { driver, root, logger } = this.#options;
    if (driver === undefined) return;
    for (const qos of ["Guaranteed", "Burstable", "BestEffort"] as const) {
      for (const child of await driver.children(qosCgroup(root, qos))) {
        const uid = podUidOf(child);
        // Drivers that cannot write a dash in a name tell it as another sign.
        if (uid === undefined || known.has(uid) || this.#pods.has(uid)) continue;
        await driver.remove([...qosCgroup(root, qos), child]).then(
          () => logger.info({ podUid: uid }, "the cgroup of a pod that is gone is removed"),
          (error: unknown) => logger.debug({ podUid: uid, err: error }, "the cgroup of a pod that is gone is still in use"),
        );
      }
    }
  }

  containerResources(pod: Pod, container: Container): LinuxContainerResources {
    return containerResources(pod, container, this.#options.resources);
  }

  capacity(): AmountTexts {
    return this.#options.capacity;
  }

  allocatable(): AmountTexts {
    return this.#options.allocatable;
  }

  #podSettings(pod: Pod): CgroupSettings {
    const { resources, podPidsMax: pidsMax } = this.#options;
    const { cpuCfsQuota, cpuPeriodUs, hugePageSizes } = resources;
    return podSettings(pod, { cpuCfsQuota, cpuPeriodUs, pidsMax, hugePageSizes });
  }

  /** All pods together have the node's shares; no more memory than there is for them, where that is enforced. */
  #podsSettings(): CgroupSettings {
    const { enforced, enforcesPods } = this.#options;
    if (enforcesPods) return limitsOf(enforced);
    const { cpuShares } = limitsOf(enforced);
    return cpuShares === undefined ? {} : { cpuShares };
  }

  /** Burstable pods have together what each of them asked for. */
  #updateClasses(): Promise<void> {
    const next = this.#turn.then(async () => {
      const { driver, root } = this.#options;
      const burstable = [...this.#pods.values()].filter(({ qos }) => qos === "Burstable");
      const shares = sharesOf(burstable.reduce((sum, { cpuMilli }) => sum + cpuMilli, 0));
      if (shares === this.#burstableShares || driver === undefined) return;
      await driver.apply(qosCgroup(root, "Burstable"), { cpuShares: shares });
      this.#burstableShares = shares;
    });
    this.#turn = next.catch(() => undefined);
    return next;
  }
}

/** Limits for amounts of resources (upstream's `getCgroupConfig`). */
function limitsOf(amounts: AmountTexts): CgroupSettings {
  const { cpu, memory, pid } = amounts;
  const pages = Object.entries(amounts).filter(([name]) => name.startsWith("hugepages-"));
  return {
    ...(cpu === undefined ? {} : { cpuShares: sharesOf(quantityMilliValue(parseQuantity(cpu))) }),
    ...(memory === undefined ? {} : { memoryMax: quantityValue(parseQuantity(memory)) }),
    ...(pid === undefined ? {} : { pidsMax: quantityValue(parseQuantity(pid)) }),
    hugePages: pages.map(([name, amount]) => ({
      pageSize: hugePageSizeName(quantityValue(parseQuantity(name.slice("hugepages-".length)))),
      limit: quantityValue(parseQuantity(amount)),
    })),
  };
}
