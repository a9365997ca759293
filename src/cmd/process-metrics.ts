import { readdirSync } from "node:fs";
import { kubernetesVersion } from "#component-base/version.ts";

/** What Prometheus knows of every process, in its text format. */
export function processMetrics(): string {
  const { user, system } = process.cpuUsage();
  const { gitVersion, major, minor } = kubernetesVersion;
  return [
    sample("process_cpu_seconds_total", "counter", "Time of processors that was used.", (user + system) / 1e6),
    sample("process_resident_memory_bytes", "gauge", "Memory that is held.", process.memoryUsage.rss()),
    sample(
      "process_start_time_seconds",
      "gauge",
      "When it was started, since the Unix epoch.",
      Math.round(Date.now() / 1000 - process.uptime()),
    ),
    sample("process_open_fds", "gauge", "Files and connections that are open.", openFiles()),
    sample("kubernetes_build_info", "gauge", "The version that it speaks.", 1, { major, minor, git_version: gitVersion }),
  ].join("");
}

/** One metric with one value. */
export function sample(
  name: string,
  type: "counter" | "gauge",
  help: string,
  value: number,
  labels: Readonly<Record<string, string>> = {},
): string {
  const pairs = Object.entries(labels).map(([key, text]) => `${key}=${JSON.stringify(text)}`);
  const where = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${name}${where} ${value}\n`;
}

function openFiles(): number {
  try {
    return readdirSync("/proc/self/fd").length;
  } catch {
    // Only Linux tells.
    return 0;
  }
}
