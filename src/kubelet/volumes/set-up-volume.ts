import { isFromApi } from "../inside/volume-files.ts";
import { setUpFiles } from "./api-files.ts";
import { setUpDevice } from "./block-volume.ts";
import { setUpEmptyDir } from "./empty-dir.ts";
import { setUpHostPath } from "./host-path.ts";
import { setUpLocal } from "./local-volume.ts";
import { setUpNfs } from "./network-volume.ts";
import type { ResolvedVolume, SetUpRequest, SetUpVolume, VolumeHost } from "./volume-host.ts";

/** Sets up a volume, or brings it up to date. Done again it changes nothing that is right. */
export type SetUp = (host: VolumeHost, request: SetUpRequest) => Promise<SetUpVolume>;

/** Drivers of volumes come with the container storage interface, which has no place here yet. */
const CSI_DRIVER = "kubernetes.io/csi: mounter.SetUpAt failed to get CSI client: driver name";

/** Plugins as upstream calls them; most are called as the field of their volumes, with dashes. */
const PLUGINS: Readonly<Record<string, string>> = { configMap: "configmap", local: "local-volume" };

/** Upstream's name of the plugin for a volume: `kubernetes.io/empty-dir`. */
export function pluginName(source: ResolvedVolume["source"]): string {
  const [kind = ""] = Object.keys(source);
  return `kubernetes.io/${PLUGINS[kind] ?? kind.replace(/API|[A-Z]/g, (letters) => `-${letters.toLowerCase()}`)}`;
}

/** Who sets up a kind of volume; undefined for those that no plugin is for. */
export function setUpOf({ source, isBlock = false }: ResolvedVolume): SetUp | undefined {
  if (isBlock) return source.local === undefined ? undefined : setUpDevice;
  const { emptyDir, hostPath, nfs, local, image, csi } = source;
  if (isFromApi({ name: "", ...source })) return setUpFiles;
  if (emptyDir !== undefined) return setUpEmptyDir;
  if (hostPath !== undefined) return setUpHostPath;
  if (nfs !== undefined) return setUpNfs;
  if (local !== undefined) return setUpLocal;
  if (image !== undefined) return setUpImage;
  return csi === undefined ? undefined : refuseCsi;
}

/** The runtime mounts the files of an image by itself. */
async function setUpImage(_host: VolumeHost, { volume }: SetUpRequest): Promise<SetUpVolume> {
  const { reference = "", pullPolicy = "" } = volume.source.image ?? {};
  return { path: "", readOnly: true, relabel: true, image: { reference, pullPolicy } };
}

async function refuseCsi(_host: VolumeHost, { volume }: SetUpRequest): Promise<never> {
  const { driver = "" } = volume.source.csi ?? {};
  throw new Error(`${CSI_DRIVER} ${driver} not found in the list of registered CSI drivers`);
}
