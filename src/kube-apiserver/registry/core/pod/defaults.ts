import type {
  Container,
  EphemeralContainer,
  Lifecycle,
  Pod,
  PodSpec,
  PodStatus,
  PodTemplateSpec,
  Probe,
  Volume,
} from "#api/generated/core/v1.ts";
import type { Draft } from "#apimachinery/meta/api-object.ts";
import { formatQuantity, parseQuantity, quantityRoundUp } from "#apimachinery/resource/quantity.ts";
import { setOwn } from "#apimachinery/schema/json-node.ts";
import { memoized } from "#base/memo.ts";
import { isPodLevelResource } from "#component-helpers/pod/resource-list.ts";
import { defaultPullPolicy } from "./image-tag.ts";
import { aggregateContainerLimits, aggregateContainerRequests } from "./pod-resources.ts";
import { isHugePageResource, isOvercommitAllowed } from "./validation/resource-names.ts";

const FILE_MODE = 0o644;
const TOKEN_SECONDS = 3600;
const VOLUME_FIELDS = new Set(["name"]);

/** Upstream's `SetObjectDefaults_Pod`: what every pod spec gets, and what only pods get. */
export function setPodDefaults(pod: Draft<Pod>): void {
  pod.spec ??= {} as Draft<PodSpec>;
  setPodSpecDefaults(pod.spec);
  const { spec } = pod;
  if (pod.status) settlePodIps(pod.status);
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    const limits = container.resources?.limits;
    if (!container.resources || !limits) continue;
    container.resources.requests = { ...limits, ...container.resources.requests };
  }
  setPodLevelResourceDefaults(spec);
  spec.enableServiceLinks ??= true;
  if (spec.hostNetwork) {
    for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
      for (const port of container.ports ?? []) if (!port.hostPort) port.hostPort = port.containerPort ?? 0;
    }
  }
}

/** Upstream's conversion of a status keeps `podIPs` alone: a differing `podIP` replaces them, and their first is told in it. */
function settlePodIps(status: Draft<PodStatus>): void {
  if (status.podIP && status.podIP !== status.podIPs?.[0]?.ip) status.podIPs = [{ ip: status.podIP }];
  const first = status.podIPs?.[0]?.ip;
  if (first) status.podIP = first;
}

/** Pod-level resources that are given in part are completed from the containers (KEP-2837). */
function setPodLevelResourceDefaults(spec: Draft<PodSpec>): void {
  const { resources } = spec;
  if (!resources) return;
  const hasLimits = Object.keys(resources.limits ?? {}).length > 0;
  const hasRequests = Object.keys(resources.requests ?? {}).length > 0;
  if (!hasLimits && !hasRequests) return;
  const limits: Record<string, string> = { ...resources.limits };
  for (const [name, limit] of Object.entries(aggregateContainerLimits(spec))) {
    if (isHugePageResource(name) && resources.requests?.[name] === undefined) limits[name] ??= limit;
  }
  if (Object.keys(limits).length === 0) return;
  resources.limits = limits;
  const requests: Record<string, string> = { ...resources.requests };
  for (const [name, request] of Object.entries(aggregateContainerRequests(spec))) {
    if (isPodLevelResource(name) && isOvercommitAllowed(name)) requests[name] ??= request;
  }
  for (const [name, limit] of Object.entries(limits)) if (isPodLevelResource(name)) requests[name] ??= limit;
  if (Object.keys(requests).length > 0) resources.requests = requests;
}

/** What a pod template gets, wherever it stands. */
export function setPodTemplateDefaults(template: Draft<PodTemplateSpec>): void {
  template.spec ??= {} as Draft<PodSpec>;
  setPodSpecDefaults(template.spec);
}

/** Upstream's `SetDefaults_PodSpec`, and the defaults of everything within. */
export function setPodSpecDefaults(spec: Draft<PodSpec>): void {
  spec.dnsPolicy ||= "ClusterFirst";
  spec.restartPolicy ||= "Always";
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  spec.schedulerName ||= "default-scheduler";
  // Two names of one field; the newer one wins.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const volume of spec.volumes ?? []) setVolumeDefaults(volume);
  for (const container of spec.initContainers ?? []) setContainerDefaults(container);
  for (const container of spec.containers ?? []) setContainerDefaults(container);
  for (const container of spec.ephemeralContainers ?? []) setContainerDefaults(container);
  if (spec.overhead) spec.overhead = roundedUp(spec.overhead);
  if (spec.resources?.limits) spec.resources.limits = roundedUp(spec.resources.limits);
  if (spec.resources?.requests) spec.resources.requests = roundedUp(spec.resources.requests);
}

/** Amounts below a thousandth are rounded up, for what the API once could not hold. */
export function roundedUp(list: Readonly<Record<string, string>>): Record<string, string> {
  const rounded: Record<string, string> = {};
  for (const name in list) setOwn(rounded, name, roundedUpText(list[name] ?? ""));
  return rounded;
}

const roundedUpText = memoized(1024, (text) => formatQuantity(quantityRoundUp(parseQuantity(text), -3)), 32);

function setContainerDefaults(container: Draft<Container> | Draft<EphemeralContainer>): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? "");
  container.terminationMessagePath ||= "/dev/termination-log";
  container.terminationMessagePolicy ||= "File";
  for (const port of container.ports ?? []) port.protocol ||= "TCP";
  for (const variable of container.env ?? []) {
    const fieldRef = variable.valueFrom?.fieldRef;
    if (fieldRef) fieldRef.apiVersion ||= "v1";
    const fileKeyRef = variable.valueFrom?.fileKeyRef;
    if (fileKeyRef) fileKeyRef.optional ??= false;
  }
  const { resources } = container;
  if (resources?.limits) resources.limits = roundedUp(resources.limits);
  if (resources?.requests) resources.requests = roundedUp(resources.requests);
  setProbeDefaults(container.livenessProbe);
  setProbeDefaults(container.readinessProbe);
  setProbeDefaults(container.startupProbe);
  setLifecycleDefaults(container.lifecycle);
}

function setProbeDefaults(probe: Draft<Probe> | undefined): void {
  if (!probe) return;
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  setHttpGetDefaults(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= "";
}

function setLifecycleDefaults(lifecycle: Draft<Lifecycle> | undefined): void {
  setHttpGetDefaults(lifecycle?.postStart?.httpGet);
  setHttpGetDefaults(lifecycle?.preStop?.httpGet);
}

function setHttpGetDefaults(action: { path?: string; scheme?: string } | undefined): void {
  if (!action) return;
  action.path ||= "/";
  action.scheme ||= "HTTP";
}

function setVolumeDefaults(volume: Draft<Volume>): void {
  const sources = Object.entries(volume).filter(
    ([field, value]) => !VOLUME_FIELDS.has(field) && value !== undefined && value !== null,
  );
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.hostPath) volume.hostPath.type ??= "";
  if (volume.secret) volume.secret.defaultMode ??= FILE_MODE;
  if (volume.configMap) volume.configMap.defaultMode ??= FILE_MODE;
  if (volume.image) volume.image.pullPolicy ||= defaultPullPolicy(volume.image.reference ?? "");
  if (volume.iscsi) volume.iscsi.iscsiInterface ||= "default";
  if (volume.rbd) {
    volume.rbd.pool ||= "rbd";
    volume.rbd.user ||= "admin";
    volume.rbd.keyring ||= "/etc/ceph/keyring";
  }
  if (volume.azureDisk) {
    volume.azureDisk.cachingMode ??= "ReadWrite";
    volume.azureDisk.kind ??= "Shared";
    volume.azureDisk.fsType ??= "ext4";
    volume.azureDisk.readOnly ??= false;
  }
  if (volume.scaleIO) {
    volume.scaleIO.storageMode ||= "ThinProvisioned";
    volume.scaleIO.fsType ||= "xfs";
  }
  if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= FILE_MODE;
    for (const file of volume.downwardAPI.items ?? []) if (file.fieldRef) file.fieldRef.apiVersion ||= "v1";
  }
  if (volume.projected) {
    volume.projected.defaultMode ??= FILE_MODE;
    for (const source of volume.projected.sources ?? []) {
      for (const file of source.downwardAPI?.items ?? []) if (file.fieldRef) file.fieldRef.apiVersion ||= "v1";
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= TOKEN_SECONDS;
      if (source.podCertificate) source.podCertificate.maxExpirationSeconds ??= 24 * 3600;
    }
  }
  const claim = volume.ephemeral?.volumeClaimTemplate?.spec;
  if (claim) {
    claim.volumeMode ??= "Filesystem";
    if (claim.resources?.limits) claim.resources.limits = roundedUp(claim.resources.limits);
    if (claim.resources?.requests) claim.resources.requests = roundedUp(claim.resources.requests);
  }
}
