import { readFile } from "node:fs/promises";
import { FlagError, type FlagSpec, type ParsedFlags } from "#component-base/flags.ts";
import { type KubeletClientOptions, PREFERRED_ADDRESS_TYPES } from "#kube-apiserver/kubelet-client/kubelet-client.ts";
import { durationMs } from "../flags/flag-specs.ts";

type KubeletClientFlagTypes = {
  readonly "kubelet-preferred-address-types": "strings";
  readonly "kubelet-client-certificate": "string";
  readonly "kubelet-client-key": "string";
  readonly "kubelet-certificate-authority": "string";
  readonly "kubelet-timeout": "string";
  readonly "kubelet-port": "int";
  readonly "kubelet-https": "bool";
  readonly "max-connection-bytes-per-sec": "int";
};

/** Upstream's flags for the way from the API server to kubelets; `--kubelet-port` and `--kubelet-https` are of former years, as guides use them. */
export const kubeletClientFlags: { readonly [N in keyof KubeletClientFlagTypes]: FlagSpec<KubeletClientFlagTypes[N]> } = {
  "kubelet-preferred-address-types": {
    type: "strings",
    default: PREFERRED_ADDRESS_TYPES,
    placeholder: "TYPES",
    help: "Which address of a node is taken: the first that it has.",
  },
  "kubelet-client-certificate": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "What the API server shows to kubelets, in place of the cluster's own.",
  },
  "kubelet-client-key": { type: "string", default: "", placeholder: "FILE", help: "Key of that certificate." },
  "kubelet-certificate-authority": {
    type: "string",
    default: "",
    placeholder: "FILE",
    help: "Whom kubelets' certificates have to come from; not looked at when empty.",
  },
  "kubelet-timeout": {
    type: "string",
    default: "5s",
    placeholder: "DURATION",
    help: "How long a kubelet may take to answer a connection.",
  },
  "kubelet-port": {
    type: "int",
    default: 10250,
    min: 1,
    max: 65535,
    placeholder: "PORT",
    help: "Port of kubelets whose node names none.",
  },
  "kubelet-https": { type: "bool", default: true, help: "Speak HTTPS with kubelets." },
  "max-connection-bytes-per-sec": {
    type: "int",
    default: 0,
    min: 0,
    placeholder: "N",
    help: "How much exec, port-forward and the like may carry each way; 0 for any amount.",
  },
};

/** The flags as options. Rejects with a {@link FlagError} for what makes no sense, and where a file cannot be read. */
export async function kubeletClientOptions(flags: ParsedFlags<typeof kubeletClientFlags>): Promise<KubeletClientOptions> {
  const cert = flags["kubelet-client-certificate"];
  const key = flags["kubelet-client-key"];
  const ca = flags["kubelet-certificate-authority"];
  if ((cert === "") !== (key === "")) {
    throw new FlagError("flags --kubelet-client-certificate and --kubelet-client-key go together");
  }
  return {
    preferredAddressTypes: flags["kubelet-preferred-address-types"],
    port: flags["kubelet-port"],
    https: flags["kubelet-https"],
    dialTimeoutMs: durationMs("kubelet-timeout", flags["kubelet-timeout"]),
    ...(cert === "" ? {} : { cert: await readFile(cert, "utf8"), key: await readFile(key, "utf8") }),
    ...(ca === "" ? {} : { ca: await readFile(ca, "utf8") }),
  };
}
