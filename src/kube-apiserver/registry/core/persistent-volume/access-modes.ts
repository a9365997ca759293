const SHORT = { ReadWriteOnce: "RWO", ReadOnlyMany: "ROX", ReadWriteMany: "RWX", ReadWriteOncePod: "RWOP" } as const;

/** Access modes as `kubectl get` shows them, always in this order. */
export function formatAccessModes(modes: readonly string[] | undefined): string {
  return Object.entries(SHORT)
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(",");
}

/** The class of a volume or claim: the annotation that was there before the field goes first. */
export function storageClassOf(
  object: { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> } },
  field: string | undefined,
): string {
  return object.metadata.annotations?.["volume.beta.kubernetes.io/storage-class"] ?? field ?? "";
}
