/** Fields whose Go name does not follow from the name in JSON, by `Type.field`. */
const RENAMED: Readonly<Record<string, string>> = {
  "PodSpec.serviceAccount": "DeprecatedServiceAccount",
  "GlusterfsVolumeSource.endpoints": "EndpointsName",
  "RBDVolumeSource.monitors": "CephMonitors",
  "RBDVolumeSource.image": "RBDImage",
  "RBDVolumeSource.pool": "RBDPool",
  "RBDVolumeSource.user": "RadosUser",
  "AzureDiskVolumeSource.diskURI": "DataDiskURI",
  "ISCSIVolumeSource.chapAuthDiscovery": "DiscoveryCHAPAuth",
  "ISCSIVolumeSource.chapAuthSession": "SessionCHAPAuth",
};

/** Words that Go writes in capitals, or in a way of their own, where a name begins with them. */
const FIRST_WORDS: Readonly<Record<string, string>> = {
  api: "API",
  aws: "AWS",
  cephfs: "CephFS",
  csi: "CSI",
  dns: "DNS",
  fc: "FC",
  fs: "FS",
  gce: "GCE",
  gmsa: "GMSA",
  grpc: "GRPC",
  http: "HTTP",
  ip: "IP",
  iqn: "IQN",
  iscsi: "ISCSI",
  nfs: "NFS",
  os: "OS",
  pd: "PD",
  rbd: "RBD",
  se: "SE",
  ssl: "SSL",
  storageos: "StorageOS",
  tcp: "TCP",
  tty: "TTY",
  uid: "UID",
  wwids: "WWIDs",
};

/** What Go calls a field of a struct: its name in JSON with a capital, but for the usual abbreviations. */
export function goFieldName(structName: string, jsonName: string): string {
  const type = structName.slice(structName.lastIndexOf(".") + 1);
  const renamed = RENAMED[`${type}.${jsonName}`];
  if (renamed !== undefined) return renamed;
  if (jsonName === "metadata") return "ObjectMeta";
  // The photon disk alone has `PdID`.
  if (jsonName === "pdID") return "PdID";
  const first = /^[a-z]+/.exec(jsonName)?.[0] ?? "";
  const word = FIRST_WORDS[first] ?? first.charAt(0).toUpperCase() + first.slice(1);
  return word + jsonName.slice(first.length);
}
