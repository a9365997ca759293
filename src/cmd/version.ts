import { kubernetesVersion } from "#component-base/version.ts";

declare const KYBERN_VERSION: string | undefined;

/** This package's version; `dev` when it runs from its sources. */
export function kybernVersion(): string {
  return typeof KYBERN_VERSION === "string" ? KYBERN_VERSION : "dev";
}

/** Prints both versions. */
export function printVersion(): void {
  process.stdout.write(`Kybern ${kybernVersion()} (Kubernetes ${kubernetesVersion.gitVersion})\n`);
}
