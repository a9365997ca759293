import type { Pod, Volume } from "#api/generated/core/v1.ts";
import type { Clock } from "#base/clock.ts";
import type { HostFiles } from "#base/host-files.ts";
import type { Addresses } from "../inside/field-values.ts";
import type { Amounts } from "../inside/resource-values.ts";
import type { VolumeSituation } from "../inside/volume-files.ts";
import type { Mounter } from "./mounter.ts";
import type { PodPaths } from "./pod-paths.ts";

/** What setting up a volume uses of its node. */
export interface VolumeHost {
  readonly paths: PodPaths;
  readonly files: HostFiles;
  readonly mounter: Mounter;
  readonly clock: Clock;
  /** The kubelet's own: its open files are mounted from `/proc/PID/fd`. */
  readonly processId: number;
  /** What the node has to give. */
  readonly allocatable: () => Amounts;
  /** The kernel can keep what is in a tmpfs from being swapped out. */
  readonly tmpfsNoswap: boolean;
}

/** A volume of a pod with what stands behind it: the pod's own volume, or that of a claim. */
export interface ResolvedVolume {
  /** As the pod calls it. */
  readonly name: string;
  /** As folders and messages call it: a persistent volume's own name, else the pod's. */
  readonly specName: string;
  readonly source: Omit<Volume, "name"> & { readonly local?: { readonly path: string; readonly fsType?: string } };
  /** A claim that is used for reading only. */
  readonly readOnly: boolean;
  readonly mountOptions: readonly string[];
  /** Containers get a device rather than a folder. */
  readonly isBlock?: boolean;
}

/** A volume to be set up. */
export interface SetUpRequest {
  readonly pod: Pod;
  readonly addresses: Addresses;
  readonly volume: ResolvedVolume;
  /** What files from the API are made from. */
  readonly situation: VolumeSituation;
}

/** A volume that can be mounted into containers. */
export interface SetUpVolume {
  /** Where it is on the node; empty for an image. */
  readonly path: string;
  /** No container can write to it. */
  readonly readOnly: boolean;
  /** The runtime gives it the container's SELinux label. */
  readonly relabel: boolean;
  /** It has a file system to itself, which tells what it has. */
  readonly hasFileSystem?: boolean;
  /** A device, which is not mounted. */
  readonly isDevice?: boolean;
  /** The image whose files it has. */
  readonly image?: { readonly reference: string; readonly pullPolicy: string };
}

/** The pod's user id: the one that its containers agree on (upstream's `FsUserFrom`). */
export function fsUserOf({ spec }: Pod): number | undefined {
  const users = [...(spec.initContainers ?? []), ...spec.containers].map(
    ({ securityContext }) => securityContext?.runAsUser ?? spec.securityContext?.runAsUser,
  );
  return users.every((user) => user === users[0]) ? users[0] : undefined;
}

/** The pod's uid, by which its folder is called. */
export function uidOf({ metadata }: Pod): string {
  return metadata.uid ?? "";
}
