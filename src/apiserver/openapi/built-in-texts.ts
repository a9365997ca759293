/** Texts of the types that are written by hand. */
export const BUILTIN_TEXTS: Readonly<Record<string, string>> = {
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON":
    "Any JSON value: an object, a list, a string, a number, a boolean or null.",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray": "A JSON schema, or a list of them.",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool": "A JSON schema, or a boolean.",
  "io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray": "A JSON schema, or a list of strings.",
  "io.k8s.apimachinery.pkg.api.resource.Quantity":
    "A number with a unit: plain (`2`, `0.5`), decimal (`500m`, `2k`, `3M`), binary (`1Ki`, `128Mi`, `2Gi`) or with an exponent (`1e3`). Exact to a billionth; written back in its canonical form.",
  "io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1":
    "A set of fields as a tree: keys are `f:<field>`, `k:<list keys>`, `v:<value>`, `i:<index>` or `.`.",
  "io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime": "A time to the microsecond, as RFC 3339.",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Patch": "A patch of the form that the Content-Type names.",
  "io.k8s.apimachinery.pkg.apis.meta.v1.Time": "A time to the second, as RFC 3339.",
  "io.k8s.apimachinery.pkg.runtime.RawExtension": "Any object; kept as it is.",
  "io.k8s.apimachinery.pkg.util.intstr.IntOrString": "A whole number, or a string such as a port's name or a percentage.",
  "io.k8s.apimachinery.pkg.version.Info": "What a server says of its version.",
};

/** Texts of the fields of `/version`, which no facts tell of. */
export const VERSION_TEXTS: Readonly<Record<string, string>> = {
  major: "First part of the version.",
  minor: "Second part of the version.",
  emulationMajor: "First part of the version that the server behaves as.",
  emulationMinor: "Second part of the version that the server behaves as.",
  minCompatibilityMajor: "First part of the oldest version whose data the server gets on with.",
  minCompatibilityMinor: "Second part of the oldest version whose data the server gets on with.",
  gitVersion: "The whole version, such as `v1.36.2`.",
  gitCommit: "The commit that the server was built from.",
  gitTreeState: "Whether the sources were as in that commit: `clean` or `dirty`.",
  buildDate: "When the server was built, as RFC 3339.",
  goVersion: "Version of the language's runtime.",
  compiler: "What the server was compiled with.",
  platform: "Operating system and architecture, such as `linux/amd64`.",
};
