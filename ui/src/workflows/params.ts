import type { components } from "~/api/schema";

export type Param = components["schemas"]["WorkflowParam"];
export type FieldKind =
  | "text"
  | "long"
  | "number"
  | "integer"
  | "boolean"
  | "choice"
  | "date"
  | "moment"
  | "list"
  | "json";
/** What is wrong with a value: a key of the catalogue behind `workflows.wrong_`, and its limit. */
export type Wrong = { why: string; limit?: number };
export type Read = { value: unknown } | { wrong: Wrong };

function typesOf(param: Param): string[] {
  const type = param.rules.type;
  return (Array.isArray(type) ? type : [type]).filter((one) => typeof one === "string");
}

/** Whether the parameter may be nothing. */
export function isOptional(param: Param): boolean {
  const types = typesOf(param);
  return types.length === 0 || types.includes("null");
}

/** The values to choose from; none where the parameter is no choice. */
export function choicesOf(param: Param): unknown[] {
  return Array.isArray(param.rules.enum) ? param.rules.enum.filter((one) => one !== null) : [];
}

/** How a parameter is asked for. */
export function fieldOf(param: Param): FieldKind {
  if (choicesOf(param).length > 0) {
    return "choice";
  }
  const [type] = typesOf(param).filter((one) => one !== "null");
  switch (type) {
    case "boolean":
    case "number":
    case "integer":
      return type;
    case "string":
      return textField(param);
    case "array":
      return (param.rules.items as { type?: string } | undefined)?.type === "string"
        ? "list"
        : "json";
    case "object":
      return "json";
    default:
      return typeof param.default === "string" ? "text" : "json";
  }
}

function textField(param: Param): FieldKind {
  const format = param.rules.format;
  if (format === "date") {
    return "date";
  }
  if (format === "date-time") {
    return "moment";
  }
  return format === "multiline" ? "long" : "text";
}

/** A value as it stands in its field: text; a moment in the time zone of the browser. */
export function asText(param: Param, value: unknown = param.default): string {
  if (value === null || value === undefined) {
    return "";
  }
  switch (fieldOf(param)) {
    case "json":
      return JSON.stringify(value, null, 2);
    case "list":
      return (value as unknown[]).join("\n");
    case "choice":
      return JSON.stringify(value);
    case "moment":
      return localMoment(String(value));
    default:
      return String(value);
  }
}

function localMoment(text: string): string {
  const at = new Date(text);
  if (Number.isNaN(at.getTime())) {
    return "";
  }
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

/** Read what stands in the field of a parameter, or tell what is wrong with it. */
export function read(param: Param, text: string): Read {
  const kind = fieldOf(param);
  if (kind === "boolean") {
    return { value: text === "true" };
  }
  if (text.trim() === "" && kind !== "text" && kind !== "long") {
    return isOptional(param) ? { value: null } : { wrong: { why: "required" } };
  }
  if (text === "" && isOptional(param)) {
    return { value: null };
  }
  switch (kind) {
    case "number":
    case "integer":
      return readNumber(param, text, kind);
    case "choice":
      return { value: JSON.parse(text) };
    case "date":
      return /^\d{4}-\d\d-\d\d$/.test(text) ? { value: text } : { wrong: { why: "date" } };
    case "moment":
      return readMoment(text);
    case "list":
      return { value: text.split("\n").filter((line) => line.trim() !== "") };
    case "json":
      return readJson(param, text);
    default:
      return readText(param, text);
  }
}

/** A moment of the browser's time zone, with its offset. */
export function readMoment(text: string): Read {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? { wrong: { why: "date" } } : { value: at.toISOString() };
}

function readNumber(param: Param, text: string, kind: "number" | "integer"): Read {
  const value = Number(text.replace(",", "."));
  if (!Number.isFinite(value) || (kind === "integer" && !Number.isInteger(value))) {
    return { wrong: { why: kind } };
  }
  const { minimum, maximum, exclusiveMinimum: above, exclusiveMaximum: below } = param.rules;
  const broken: [unknown, string, (limit: number) => boolean][] = [
    [minimum, "minimum", (limit) => value < limit],
    [maximum, "maximum", (limit) => value > limit],
    [above, "above", (limit) => value <= limit],
    [below, "below", (limit) => value >= limit],
  ];
  for (const [limit, why, isBroken] of broken) {
    if (typeof limit === "number" && isBroken(limit)) {
      return { wrong: { why, limit } };
    }
  }
  return { value };
}

function readText(param: Param, text: string): Read {
  const { minLength, maxLength, pattern } = param.rules;
  const length = [...text].length;
  if (typeof minLength === "number" && length < minLength) {
    return { wrong: length === 0 ? { why: "required" } : { why: "short", limit: minLength } };
  }
  if (typeof maxLength === "number" && length > maxLength) {
    return { wrong: { why: "long", limit: maxLength } };
  }
  if (length === 0 && param.is_required) {
    return { wrong: { why: "required" } };
  }
  return typeof pattern === "string" && !fits(pattern, text)
    ? { wrong: { why: "pattern" } }
    : { value: text };
}

/** Patterns are Python's: one that this browser cannot read is Airflow's to check. */
function fits(pattern: string, text: string): boolean {
  try {
    return new RegExp(pattern, "u").test(text);
  } catch {
    return true;
  }
}

function readJson(param: Param, text: string): Read {
  try {
    const value: unknown = JSON.parse(text);
    const types = typesOf(param).filter((one) => one !== "null");
    const type = Array.isArray(value) ? "array" : typeof value;
    return types.length > 0 && !types.includes(type) ? { wrong: { why: "json" } } : { value };
  } catch {
    return { wrong: { why: "json" } };
  }
}
