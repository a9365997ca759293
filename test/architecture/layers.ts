/**
 * Which folder of src/ may import which: an import that is not listed here fails, and so does a folder that is
 * not named here. `ARCHITECTURE.md` shows the same table as a diagram, and a test compares the two.
 */
const pure = ["base", "apimachinery", "api"] as const;
const component = [...pure, "component-base", "component-helpers", "client"] as const;
/** What puts the components together. */
const assembly = [
  ...component,
  "pki",
  "storage",
  "kube-apiserver",
  "apiserver",
  "kube-controller-manager",
  "kube-scheduler",
  "kubelet",
] as const;

export const layers: Readonly<Record<string, readonly string[]>> = {
  base: [],
  "component-base": ["base"],
  api: [],
  apimachinery: ["base", "api"],
  pki: ["base", "apimachinery"],
  storage: ["base"],
  "component-helpers": pure,
  client: [...pure, "component-base"],
  apiserver: [...pure, "component-base", "storage", "client"],
  "apiextensions-apiserver": [...pure, "component-base", "client", "apiserver"],
  "kube-aggregator": [...pure, "component-base", "client", "apiserver"],
  "kube-apiserver": [
    ...pure,
    "component-base",
    "component-helpers",
    "storage",
    "client",
    "pki",
    "apiserver",
    "apiextensions-apiserver",
    "kube-aggregator",
  ],
  "ldap-authn": ["base", "component-base", "apiserver"],
  "kube-controller-manager": component,
  "kube-scheduler": component,
  cri: ["base", "api", "apimachinery"],
  cni: ["base"],
  kubelet: [...component, "cri", "cni", "pki"],
  "kube-proxy": component,
  "cluster-dns": component,
  envtest: assembly,
  cmd: [...assembly, "cri", "cni", "envtest", "ldap-authn", "kube-proxy", "cluster-dns"],
};
