import type { PodTemplateSpec } from "#api/generated/core/v1.ts";
import type { ObjectMeta } from "#api/generated/meta/v1.ts";
import type { LabelSelector } from "#apimachinery/labels/selector.ts";

/** A condition of a ReplicaSet or ReplicationController. */
export interface ReplicaCondition {
  readonly type: string;
  readonly status: string;
  readonly lastTransitionTime?: string;
  readonly reason?: string;
  readonly message?: string;
}

/** The status that ReplicaSets and ReplicationControllers have in common. */
export interface ReplicaStatus {
  readonly replicas: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  /** ReplicaSets only. */
  readonly terminatingReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly ReplicaCondition[];
}

/** What the engine needs to know of a ReplicaSet or a ReplicationController. */
export interface ReplicaOwner {
  readonly metadata: ObjectMeta;
  readonly replicas: number;
  readonly minReadySeconds: number;
  readonly selector: LabelSelector;
  readonly template: PodTemplateSpec;
  readonly status: ReplicaStatus;
}
