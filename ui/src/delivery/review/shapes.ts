import type { components } from "~/api/schema";

/** What the API answers, by short names. */
type Schemas = components["schemas"];

export type Review = Schemas["ReviewDocument"];
export type Message = Schemas["PreparedMessage"];
export type Reason = Schemas["Exclusion"];
export type Changes = Schemas["ReviewChanges"];
export type Leaving = Schemas["ReviewLeaving"];
export type Found = Schemas["FoundAudience"];
export type Progress = Schemas["PreparationProgress"];
