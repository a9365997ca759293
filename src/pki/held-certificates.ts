import { AssetFiles } from "./asset-files.ts";
import { renderKubeconfig } from "./kubeconfig.ts";

/** A kubeconfig that holds a certificate of a folder. */
export interface HeldCertificate {
  /** File of the kubeconfig. */
  readonly kubeconfig: string;
  /** File of the certificate, without its end. */
  readonly pair: string;
  readonly server: string;
  readonly user: string;
}

/** The kubeconfigs of `dir` that hold certificates of the folder `pki`; others are not looked at. */
export async function heldCertificates(dir: string, pki: string): Promise<readonly HeldCertificate[]> {
  const [files, pairs] = [new AssetFiles(dir), new AssetFiles(pki)];
  const byCertificate = new Map<string, string>();
  for (const pair of await pairs.pairs()) byCertificate.set((await pairs.read(`${pair}.pem`)) ?? "", pair);
  const held: HeldCertificate[] = [];
  for (const kubeconfig of (await files.names()).filter((name) => name.endsWith(".kubeconfig"))) {
    const text = (await files.read(kubeconfig)) ?? "";
    const part = (name: string): string => new RegExp(`^[\\s-]*${name}: (\\S+)$`, "m").exec(text)?.[1] ?? "";
    const pair = byCertificate.get(Buffer.from(part("client-certificate-data"), "base64").toString());
    if (pair !== undefined) held.push({ kubeconfig, pair, server: part("server"), user: part("user") });
  }
  return held;
}

/** Lets kubeconfigs hold what the files say now, of the certificate and of the authorities. */
export async function renewKubeconfigs(dir: string, pki: string, held: readonly HeldCertificate[]): Promise<void> {
  const [files, pairs] = [new AssetFiles(dir), new AssetFiles(pki)];
  const ca = await pairs.read("ca.pem");
  for (const { kubeconfig, pair, server, user } of held) {
    const now = await pairs.readPair(pair);
    if (ca !== undefined && now !== undefined) await files.write(kubeconfig, renderKubeconfig({ server, user, ca, ...now }));
  }
}
