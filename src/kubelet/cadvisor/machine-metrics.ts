import type { MachineInfo } from "../nodestatus/machine.ts";
import type { Metric } from "../server/metric.ts";

/** What cAdvisor tells of the machine itself (`lib/metrics/prometheus_machine.go`). `cpuinfo` is the kernel's text of processors. */
export function machineMetrics(info: MachineInfo, cpuinfo: string): readonly Metric[] {
  const { machineId, systemUuid, bootId } = info;
  const labels = { boot_id: bootId, machine_id: machineId, system_uuid: systemUuid };
  const gauge = (name: string, help: string, value: number): Metric => ({
    name: `machine_${name}`,
    help,
    type: "gauge",
    samples: [{ labels, value }],
  });
  const { cores, sockets } = topology(cpuinfo, info.cpus);
  return [
    gauge("cpu_cores", "Number of logical CPU cores.", info.cpus),
    gauge("cpu_physical_cores", "Number of physical CPU cores.", cores),
    gauge("cpu_sockets", "Number of CPU sockets.", sockets),
    gauge("memory_bytes", "Amount of memory installed on the machine.", info.memoryBytes),
    gauge("swap_bytes", "Amount of swap memory available on the machine.", info.swapBytes),
    version(info),
  ];
}

function version({ kernelVersion, osImage }: MachineInfo): Metric {
  const none = { cadvisorRevision: "", cadvisorVersion: "", dockerVersion: "" };
  return {
    name: "cadvisor_version_info",
    help: "A metric with a constant '1' value labeled by kernel version, OS version, docker version, cadvisor version & cadvisor revision.",
    type: "gauge",
    samples: [{ labels: { ...none, kernelVersion, osVersion: osImage }, value: 1 }],
  };
}

/** By what each processor says of itself; machines whose kernel does not tell have one socket with a core for each. */
function topology(cpuinfo: string, cpus: number): { readonly cores: number; readonly sockets: number } {
  const field = (block: string, name: string): string | undefined => new RegExp(`^${name}\\s*: (\\d+)$`, "m").exec(block)?.[1];
  const all = cpuinfo.split("\n\n").flatMap((block) => {
    const [socket, core] = [field(block, "physical id"), field(block, "core id")];
    return socket === undefined || core === undefined ? [] : [{ socket, core }];
  });
  if (all.length === 0) return { cores: cpus, sockets: 1 };
  const cores = new Set(all.map(({ socket, core }) => `${socket}/${core}`)).size;
  return { cores, sockets: new Set(all.map(({ socket }) => socket)).size };
}
