/** The public contract: filters. */

/**
 * MongoDB's query language, the subset that Pinecone and Vectra share, plus $not, $nor, $exists, $contains, $startsWith:
 * docs/filters.md says what each means. INVALID_FILTER where something else is given, with its place in `details.path`.
 */
export type Filter = { [path: string]: FilterValue | FilterOperators | Filter[] | Filter | undefined } & {
  $and?: Filter[];
  $or?: Filter[];
  $nor?: Filter[];
  $not?: Filter;
};
/** A Date means its ISO 8601 string, as which metadata holds it. */
export type FilterValue = string | number | boolean | null | Date;
export interface FilterOperators {
  $eq?: FilterValue;
  $ne?: FilterValue;
  $gt?: number | string | Date;
  $gte?: number | string | Date;
  $lt?: number | string | Date;
  $lte?: number | string | Date;
  $in?: FilterValue[];
  $nin?: FilterValue[];
  $exists?: boolean;
  $contains?: FilterValue;
  $startsWith?: string;
  $not?: FilterOperators;
}
