/** Upstream's service accounts in `kube-system`, by controller, where they are not called as it. */
const ACCOUNTS: Readonly<Record<string, string>> = {
  "bootstrap-signer-controller": "bootstrap-signer",
  "certificatesigningrequest-approving-controller": "certificate-controller",
  "certificatesigningrequest-cleaner-controller": "certificate-controller",
  "certificatesigningrequest-signing-controller": "certificate-controller",
  "daemonset-controller": "daemon-set-controller",
  "endpoints-controller": "endpoint-controller",
  "endpointslice-mirroring-controller": "endpointslicemirroring-controller",
  "garbage-collector-controller": "generic-garbage-collector",
  "horizontal-pod-autoscaler-controller": "horizontal-pod-autoscaler",
  "kube-apiserver-serving-clustertrustbundle-publisher-controller": "kube-apiserver-serving-clustertrustbundle-publisher",
  "node-ipam-controller": "node-controller",
  "node-lifecycle-controller": "node-controller",
  "taint-eviction-controller": "node-controller",
  "persistentvolume-binder-controller": "persistent-volume-binder",
  "persistentvolume-expander-controller": "expand-controller",
  "persistentvolume-protection-controller": "pv-protection-controller",
  "persistentvolumeclaim-protection-controller": "pvc-protection-controller",
  "pod-garbage-collector-controller": "pod-garbage-collector",
  "podcertificaterequest-cleaner-controller": "podcertificaterequestcleaner",
  "replicationcontroller-controller": "replication-controller",
  "root-ca-certificate-publisher-controller": "root-ca-cert-publisher",
  "service-cidr-controller": "service-cidrs-controller",
  "serviceaccount-controller": "service-account-controller",
  "token-cleaner-controller": "token-cleaner",
};

/** The account that a controller acts by where each has its own. */
export function accountOf(controller: string): string {
  return ACCOUNTS[controller] ?? controller;
}
