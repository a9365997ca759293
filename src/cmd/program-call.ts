/** How a program of the package was called. */
export interface ProgramCall {
  readonly args: readonly string[];
  /** By the name that all programs had in images of former years: what their guides expect unasked is then there. */
  readonly isHyperkube: boolean;
}

/** A program's name, and how it was called. */
export interface NamedCall extends ProgramCall {
  readonly name: string | undefined;
}

/** `hyperkube`'s names of programs, beside their own. */
const SHORT_NAMES: Readonly<Record<string, string>> = {
  apiserver: "kube-apiserver",
  "controller-manager": "kube-controller-manager",
  scheduler: "kube-scheduler",
  proxy: "kube-proxy",
};

/** How CoreOS started the kubelet of a `hyperkube` image: that program is here itself, and needs no container. */
const WRAPPER = "kubelet-wrapper";
/** What links to the one program may be named. */
const OWN_NAMES = [...Object.values(SHORT_NAMES), "kubelet", "kubeadm"];

/**
 * Which program is meant: that by whose name the file was called (`kube-apiserver`), or else the first argument's. After
 * `hyperkube` the short names of former years are known (`hyperkube apiserver`), and so are its images' links of these names
 * (`/apiserver`), and the wrapper by which guides start its kubelet.
 */
export function programCall(file: string, args: readonly string[]): NamedCall {
  const called = (file.split("/").at(-1) ?? "").replace(/\.[cm]?js$/, "");
  if (OWN_NAMES.includes(called)) return { name: called, args, isHyperkube: false };
  const own = called === WRAPPER ? "kubelet" : SHORT_NAMES[called];
  if (own !== undefined) return { name: own, args, isHyperkube: true };
  const [name, ...rest] = args;
  const isHyperkube = called === "hyperkube";
  return { name: name === undefined ? undefined : (SHORT_NAMES[name] ?? name), args: rest, isHyperkube };
}
