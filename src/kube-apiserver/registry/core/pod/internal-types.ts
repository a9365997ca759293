/**
 * Fields of upstream's internal types around the pod spec, in the order of their structs. The API server prints
 * these forms in some messages: Go names, and zero values written out.
 *
 * A field is `Name:type`, or `Name=jsonName:type` where the v1 name does not follow from the internal one.
 * Types: `string`, `int`, `bool`, `quantity`, `any` (a scalar that may be absent), `list`, `map`, `selector` (a label
 * selector, which has JSON tags), a struct's name, `*Struct`, `[]Struct`, and `inline:Struct`.
 */
export const INTERNAL_TYPES: Readonly<Record<string, string>> = {
  PodTemplateSpec: "metadata:meta Spec:PodSpec",
  PodSpec:
    "Volumes:[]Volume InitContainers:[]Container Containers:[]Container EphemeralContainers:[]EphemeralContainer " +
    "RestartPolicy:string TerminationGracePeriodSeconds:any ActiveDeadlineSeconds:any DNSPolicy:string NodeSelector:map " +
    "ServiceAccountName:string AutomountServiceAccountToken:any NodeName:string SecurityContext:*PodSecurityContext " +
    "ImagePullSecrets:[]LocalObjectReference Hostname:string Subdomain:string SetHostnameAsFQDN:any Affinity:*Affinity " +
    "SchedulerName:string Tolerations:[]Toleration HostAliases:[]HostAlias PriorityClassName:string Priority:any " +
    "PreemptionPolicy:any DNSConfig:*PodDNSConfig ReadinessGates:[]PodReadinessGate RuntimeClassName:any Overhead:map " +
    "EnableServiceLinks:any TopologySpreadConstraints:[]TopologySpreadConstraint OS:*NamedObject " +
    "SchedulingGates:[]NamedObject ResourceClaims:[]PodResourceClaim Resources:*ResourceRequirements " +
    "HostnameOverride:any SchedulingGroup:*PodSchedulingGroup",
  PodSchedulingGroup: "PodGroupName:any",
  PodSecurityContext:
    "HostNetwork:bool HostPID:bool HostIPC:bool ShareProcessNamespace:any HostUsers:any SELinuxOptions:*SELinuxOptions " +
    "WindowsOptions:*WindowsSecurityContextOptions RunAsUser:any RunAsGroup:any RunAsNonRoot:any SupplementalGroups:list " +
    "SupplementalGroupsPolicy:any FSGroup:any FSGroupChangePolicy:any Sysctls:[]Sysctl SeccompProfile:*LocalProfile " +
    "AppArmorProfile:*LocalProfile SELinuxChangePolicy:any",
  SELinuxOptions: "User:string Role:string Type:string Level:string",
  WindowsSecurityContextOptions: "GMSACredentialSpecName:any GMSACredentialSpec:any RunAsUserName:any HostProcess:any",
  Sysctl: "Name:string Value:string",
  LocalProfile: "Type:string LocalhostProfile:any",
  NamedObject: "Name:string",
  LocalObjectReference: "Name:string",
  Container:
    "Name:string Image:string Command:list Args:list WorkingDir:string Ports:[]ContainerPort EnvFrom:[]EnvFromSource " +
    "Env:[]EnvVar Resources:ResourceRequirements ResizePolicy:[]ContainerResizePolicy RestartPolicy:any " +
    "RestartPolicyRules:[]ContainerRestartRule VolumeMounts:[]VolumeMount VolumeDevices:[]VolumeDevice " +
    "LivenessProbe:*Probe ReadinessProbe:*Probe StartupProbe:*Probe Lifecycle:*Lifecycle TerminationMessagePath:string " +
    "TerminationMessagePolicy:string ImagePullPolicy:string SecurityContext:*SecurityContext Stdin:bool StdinOnce:bool TTY:bool",
  EphemeralContainer: "Common:inline:Container TargetContainerName:string",
  ContainerPort: "Name:string HostPort:int ContainerPort:int Protocol:string HostIP:string",
  EnvFromSource: "Prefix:string ConfigMapRef:*OptionalReference SecretRef:*OptionalReference",
  OptionalReference: "Name:string Optional:any",
  EnvVar: "Name:string Value:string ValueFrom:*EnvVarSource",
  EnvVarSource:
    "FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector ConfigMapKeyRef:*KeySelector " +
    "SecretKeyRef:*KeySelector FileKeyRef:*FileKeySelector",
  ObjectFieldSelector: "APIVersion:string FieldPath:string",
  ResourceFieldSelector: "ContainerName:string Resource:string Divisor:quantity",
  KeySelector: "Name:string Key:string Optional:any",
  FileKeySelector: "VolumeName:string Path:string Key:string Optional:any",
  ResourceRequirements: "Limits:map Requests:map Claims:[]ResourceClaim",
  ResourceClaim: "Name:string Request:string",
  ContainerResizePolicy: "ResourceName:string RestartPolicy:string",
  ContainerRestartRule: "Action:string ExitCodes:*ContainerRestartRuleOnExitCodes",
  ContainerRestartRuleOnExitCodes: "Operator:string Values:list",
  VolumeMount:
    "Name:string ReadOnly:bool RecursiveReadOnly:any MountPath:string SubPath:string MountPropagation:any SubPathExpr:string",
  VolumeDevice: "Name:string DevicePath:string",
  Probe:
    "Exec:*ExecAction HTTPGet:*HTTPGetAction TCPSocket:*TCPSocketAction GRPC:*GRPCAction InitialDelaySeconds:int " +
    "TimeoutSeconds:int PeriodSeconds:int SuccessThreshold:int FailureThreshold:int TerminationGracePeriodSeconds:any",
  ExecAction: "Command:list",
  HTTPGetAction: "Path:string Port:int Host:string Scheme:string HTTPHeaders:[]Sysctl",
  TCPSocketAction: "Port:int Host:string",
  GRPCAction: "Port:int Service:any",
  SleepAction: "Seconds:int",
  Lifecycle: "PostStart:*LifecycleHandler PreStop:*LifecycleHandler StopSignal:any",
  LifecycleHandler: "Exec:*ExecAction HTTPGet:*HTTPGetAction TCPSocket:*TCPSocketAction Sleep:*SleepAction",
  SecurityContext:
    "Capabilities:*Capabilities Privileged:any SELinuxOptions:*SELinuxOptions WindowsOptions:*WindowsSecurityContextOptions " +
    "RunAsUser:any RunAsGroup:any RunAsNonRoot:any ReadOnlyRootFilesystem:any AllowPrivilegeEscalation:any ProcMount:any " +
    "SeccompProfile:*LocalProfile AppArmorProfile:*LocalProfile",
  Capabilities: "Add:list Drop:list",
  Affinity: "NodeAffinity:*NodeAffinity PodAffinity:*PodAffinity PodAntiAffinity:*PodAffinity",
  NodeAffinity:
    "RequiredDuringSchedulingIgnoredDuringExecution:*NodeSelector " +
    "PreferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm",
  NodeSelector: "NodeSelectorTerms:[]NodeSelectorTerm",
  NodeSelectorTerm: "MatchExpressions:[]NodeSelectorRequirement MatchFields:[]NodeSelectorRequirement",
  NodeSelectorRequirement: "Key:string Operator:string Values:list",
  PreferredSchedulingTerm: "Weight:int Preference:NodeSelectorTerm",
  PodAffinity:
    "RequiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm " +
    "PreferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm",
  PodAffinityTerm:
    "LabelSelector:selector Namespaces:list TopologyKey:string NamespaceSelector:selector MatchLabelKeys:list MismatchLabelKeys:list",
  WeightedPodAffinityTerm: "Weight:int PodAffinityTerm:PodAffinityTerm",
  Toleration: "Key:string Operator:string Value:string Effect:string TolerationSeconds:any",
  HostAlias: "IP:string Hostnames:list",
  PodDNSConfig: "Nameservers:list Searches:list Options:[]PodDNSConfigOption",
  PodDNSConfigOption: "Name:string Value:any",
  PodReadinessGate: "ConditionType:string",
  TopologySpreadConstraint:
    "MaxSkew:int TopologyKey:string WhenUnsatisfiable:string LabelSelector:selector MinDomains:any NodeAffinityPolicy:any " +
    "NodeTaintsPolicy:any MatchLabelKeys:list",
  PodResourceClaim: "Name:string ResourceClaimName:any ResourceClaimTemplateName:any",
  Volume:
    "Name:string HostPath:*HostPathVolumeSource EmptyDir:*EmptyDirVolumeSource GCEPersistentDisk:*GCEPersistentDiskVolumeSource " +
    "AWSElasticBlockStore:*AWSElasticBlockStoreVolumeSource GitRepo:*GitRepoVolumeSource Secret:*SecretVolumeSource " +
    "NFS:*NFSVolumeSource ISCSI:*ISCSIVolumeSource Glusterfs:*GlusterfsVolumeSource " +
    "PersistentVolumeClaim:*PersistentVolumeClaimVolumeSource RBD:*RBDVolumeSource Quobyte:*QuobyteVolumeSource " +
    "FlexVolume:*FlexVolumeSource Cinder:*CinderVolumeSource CephFS=cephfs:*CephFSVolumeSource Flocker:*FlockerVolumeSource " +
    "DownwardAPI:*DownwardAPIVolumeSource FC:*FCVolumeSource AzureFile:*AzureFileVolumeSource ConfigMap:*ConfigMapVolumeSource " +
    "VsphereVolume:*VsphereVirtualDiskVolumeSource AzureDisk:*AzureDiskVolumeSource " +
    "PhotonPersistentDisk:*PhotonPersistentDiskVolumeSource Projected:*ProjectedVolumeSource " +
    "PortworxVolume:*PortworxVolumeSource ScaleIO:*ScaleIOVolumeSource StorageOS=storageos:*StorageOSVolumeSource " +
    "CSI:*CSIVolumeSource Ephemeral:*EphemeralVolumeSource Image:*ImageVolumeSource",
  HostPathVolumeSource: "Path:string Type:any",
  EmptyDirVolumeSource: "Medium:string SizeLimit:any",
  GCEPersistentDiskVolumeSource: "PDName:string FSType:string Partition:int ReadOnly:bool",
  AWSElasticBlockStoreVolumeSource: "VolumeID:string FSType:string Partition:int ReadOnly:bool",
  GitRepoVolumeSource: "Repository:string Revision:string Directory:string",
  SecretVolumeSource: "SecretName:string Items:[]KeyToPath DefaultMode:any Optional:any",
  KeyToPath: "Key:string Path:string Mode:any",
  NFSVolumeSource: "Server:string Path:string ReadOnly:bool",
  ISCSIVolumeSource:
    "TargetPortal:string IQN:string Lun:int ISCSIInterface:string FSType:string ReadOnly:bool Portals:list " +
    "DiscoveryCHAPAuth=chapAuthDiscovery:bool SessionCHAPAuth=chapAuthSession:bool SecretRef:*LocalObjectReference InitiatorName:any",
  GlusterfsVolumeSource: "EndpointsName=endpoints:string Path:string ReadOnly:bool",
  PersistentVolumeClaimVolumeSource: "ClaimName:string ReadOnly:bool",
  RBDVolumeSource:
    "CephMonitors=monitors:list RBDImage=image:string FSType:string RBDPool=pool:string RadosUser=user:string " +
    "Keyring:string SecretRef:*LocalObjectReference ReadOnly:bool",
  QuobyteVolumeSource: "Registry:string Volume:string ReadOnly:bool User:string Group:string Tenant:string",
  FlexVolumeSource: "Driver:string FSType:string SecretRef:*LocalObjectReference ReadOnly:bool Options:map",
  CinderVolumeSource: "VolumeID:string FSType:string ReadOnly:bool SecretRef:*LocalObjectReference",
  CephFSVolumeSource: "Monitors:list Path:string User:string SecretFile:string SecretRef:*LocalObjectReference ReadOnly:bool",
  FlockerVolumeSource: "DatasetName:string DatasetUUID:string",
  DownwardAPIVolumeSource: "Items:[]DownwardAPIVolumeFile DefaultMode:any",
  DownwardAPIVolumeFile: "Path:string FieldRef:*ObjectFieldSelector ResourceFieldRef:*ResourceFieldSelector Mode:any",
  FCVolumeSource: "TargetWWNs:list Lun:any FSType:string ReadOnly:bool WWIDs=wwids:list",
  AzureFileVolumeSource: "SecretName:string ShareName:string ReadOnly:bool",
  ConfigMapVolumeSource: "Name:string Items:[]KeyToPath DefaultMode:any Optional:any",
  VsphereVirtualDiskVolumeSource: "VolumePath:string FSType:string StoragePolicyName:string StoragePolicyID:string",
  AzureDiskVolumeSource: "DiskName:string DataDiskURI=diskURI:string CachingMode:any FSType:any ReadOnly:any Kind:any",
  PhotonPersistentDiskVolumeSource: "PdID:string FSType:string",
  ProjectedVolumeSource: "Sources:[]VolumeProjection DefaultMode:any",
  VolumeProjection:
    "Secret:*KeysProjection DownwardAPI:*DownwardAPIProjection ConfigMap:*KeysProjection " +
    "ServiceAccountToken:*ServiceAccountTokenProjection ClusterTrustBundle:*ClusterTrustBundleProjection " +
    "PodCertificate:*PodCertificateProjection",
  KeysProjection: "Name:string Items:[]KeyToPath Optional:any",
  DownwardAPIProjection: "Items:[]DownwardAPIVolumeFile",
  ServiceAccountTokenProjection: "Audience:string ExpirationSeconds:int Path:string",
  ClusterTrustBundleProjection: "Name:any SignerName:any LabelSelector:selector Optional:any Path:string",
  PodCertificateProjection:
    "SignerName:string KeyType:string MaxExpirationSeconds:any CredentialBundlePath:string KeyPath:string " +
    "CertificateChainPath:string UserAnnotations:map",
  PortworxVolumeSource: "VolumeID:string FSType:string ReadOnly:bool",
  ScaleIOVolumeSource:
    "Gateway:string System:string SecretRef:*LocalObjectReference SSLEnabled:bool ProtectionDomain:string " +
    "StoragePool:string StorageMode:string VolumeName:string FSType:string ReadOnly:bool",
  StorageOSVolumeSource: "VolumeName:string VolumeNamespace:string FSType:string ReadOnly:bool SecretRef:*LocalObjectReference",
  CSIVolumeSource: "Driver:string ReadOnly:any FSType:any VolumeAttributes:map NodePublishSecretRef:*LocalObjectReference",
  EphemeralVolumeSource: "VolumeClaimTemplate:*PersistentVolumeClaimTemplate",
  PersistentVolumeClaimTemplate: "metadata:meta Spec:PersistentVolumeClaimSpec",
  PersistentVolumeClaimSpec:
    "AccessModes:list Selector:selector Resources:VolumeResourceRequirements VolumeName:string StorageClassName:any " +
    "VolumeMode:any DataSource:*TypedLocalObjectReference DataSourceRef:*TypedObjectReference VolumeAttributesClassName:any",
  VolumeResourceRequirements: "Limits:map Requests:map",
  TypedLocalObjectReference: "APIGroup:any Kind:string Name:string",
  TypedObjectReference: "APIGroup:any Kind:string Name:string Namespace:any",
  ImageVolumeSource: "Reference:string PullPolicy:string",
  PersistentVolumeSource:
    "GCEPersistentDisk:*GCEPersistentDiskVolumeSource AWSElasticBlockStore:*AWSElasticBlockStoreVolumeSource " +
    "HostPath:*HostPathVolumeSource Glusterfs:*GlusterfsPersistentVolumeSource NFS:*NFSVolumeSource RBD:*RBDPersistentVolumeSource " +
    "Quobyte:*QuobyteVolumeSource ISCSI:*ISCSIPersistentVolumeSource FlexVolume:*FlexPersistentVolumeSource " +
    "Cinder:*CinderPersistentVolumeSource CephFS=cephfs:*CephFSPersistentVolumeSource FC:*FCVolumeSource " +
    "Flocker:*FlockerVolumeSource AzureFile:*AzureFilePersistentVolumeSource VsphereVolume:*VsphereVirtualDiskVolumeSource " +
    "AzureDisk:*AzureDiskVolumeSource PhotonPersistentDisk:*PhotonPersistentDiskVolumeSource " +
    "PortworxVolume:*PortworxVolumeSource ScaleIO:*ScaleIOPersistentVolumeSource Local:*LocalVolumeSource " +
    "StorageOS=storageos:*StorageOSPersistentVolumeSource CSI:*CSIPersistentVolumeSource",
  SecretReference: "Name:string Namespace:string",
  LocalVolumeSource: "Path:string FSType:any",
  GlusterfsPersistentVolumeSource: "EndpointsName=endpoints:string Path:string ReadOnly:bool EndpointsNamespace:any",
  FlexPersistentVolumeSource: "Driver:string FSType:string SecretRef:*SecretReference ReadOnly:bool Options:map",
  CinderPersistentVolumeSource: "VolumeID:string FSType:string ReadOnly:bool SecretRef:*SecretReference",
  CephFSPersistentVolumeSource:
    "Monitors:list Path:string User:string SecretFile:string SecretRef:*SecretReference ReadOnly:bool",
  AzureFilePersistentVolumeSource: "SecretName:string ShareName:string ReadOnly:bool SecretNamespace:any",
  RBDPersistentVolumeSource:
    "RBDMonitors=monitors:list RBDImage=image:string FSType:string RBDPool=pool:string RadosUser=user:string " +
    "Keyring:string SecretRef:*SecretReference ReadOnly:bool",
  ISCSIPersistentVolumeSource:
    "TargetPortal:string IQN:string Lun:int ISCSIInterface:string FSType:string ReadOnly:bool Portals:list " +
    "DiscoveryCHAPAuth=chapAuthDiscovery:bool SecretRef:*SecretReference SessionCHAPAuth=chapAuthSession:bool InitiatorName:any",
  ScaleIOPersistentVolumeSource:
    "Gateway:string System:string SecretRef:*SecretReference SSLEnabled:bool ProtectionDomain:string StoragePool:string " +
    "StorageMode:string VolumeName:string FSType:string ReadOnly:bool",
  StorageOSPersistentVolumeSource:
    "VolumeName:string VolumeNamespace:string FSType:string ReadOnly:bool SecretRef:*ObjectReference",
  ObjectReference:
    "Kind:string Namespace:string Name:string UID:string APIVersion:string ResourceVersion:string FieldPath:string",
  CSIPersistentVolumeSource:
    "Driver:string VolumeHandle:string ReadOnly:bool FSType:string VolumeAttributes:map " +
    "ControllerPublishSecretRef:*SecretReference NodeStageSecretRef:*SecretReference NodePublishSecretRef:*SecretReference " +
    "ControllerExpandSecretRef:*SecretReference NodeExpandSecretRef:*SecretReference",
  VolumeNodeAffinity: "Required:*NodeSelector",
};
