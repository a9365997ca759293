/**
 * What differs between validations of pod specs (upstream's `PodValidationOptions`). Options that only relax rules
 * for objects stored by earlier releases are set from the old object of an update.
 */
export interface PodValidationOptions {
  /** The spec stands in a Pod, not in a template. */
  readonly resourceIsPod: boolean;
  readonly allowInvalidPodDeletionCost: boolean;
  readonly allowInvalidLabelValueInSelector: boolean;
  readonly allowIndivisibleHugePagesValues: boolean;
  readonly allowInvalidTopologySpreadConstraintLabelSelector: boolean;
  readonly allowNonLocalProjectedTokenPath: boolean;
  readonly allowNamespacedSysctlsForHostNetAndHostIpc: boolean;
  readonly allowInvalidLabelValueInRequiredNodeAffinity: boolean;
  readonly allowRestartOnResizeOfInitContainers: boolean;
}

/** Options for a new pod template. */
export const TEMPLATE_OPTIONS: PodValidationOptions = {
  resourceIsPod: false,
  allowInvalidPodDeletionCost: false,
  allowInvalidLabelValueInSelector: false,
  allowIndivisibleHugePagesValues: false,
  allowInvalidTopologySpreadConstraintLabelSelector: false,
  allowNonLocalProjectedTokenPath: false,
  allowNamespacedSysctlsForHostNetAndHostIpc: false,
  allowInvalidLabelValueInRequiredNodeAffinity: false,
  allowRestartOnResizeOfInitContainers: false,
};

/** Options for a new Pod. */
export const POD_OPTIONS: PodValidationOptions = { ...TEMPLATE_OPTIONS, resourceIsPod: true };
