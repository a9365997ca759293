/** Of the columns that all kinds with a pod template have, in upstream's words. */
export const POD_TEMPLATE_DOCS: Readonly<Record<string, string>> = {
  Containers: "Names of each container in the template.",
  Images: "Images referenced by each container in the template.",
};
