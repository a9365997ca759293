/** On a claim: its binding was completed once. */
export const BIND_COMPLETED = "pv.kubernetes.io/bind-completed";
/** On a claim or a volume: a controller chose the other side, not a user. */
export const BOUND_BY_CONTROLLER = "pv.kubernetes.io/bound-by-controller";
/** On a volume: who made it, and so has to delete it. */
export const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";
/** On a claim: the node whose pod will use it, chosen by the scheduler. */
export const SELECTED_NODE = "volume.kubernetes.io/selected-node";
/** On a claim: who is to make a volume for it. */
export const STORAGE_PROVISIONER = "volume.kubernetes.io/storage-provisioner";
/** The former name of {@link STORAGE_PROVISIONER}; both are written. */
export const BETA_STORAGE_PROVISIONER = "volume.beta.kubernetes.io/storage-provisioner";
