import createClient from "openapi-fetch";
import { asProblem } from "./problem";
import type { paths } from "./schema";

/** Where Airflow is mounted, with a slash at the end. */
export function airflowUrl(): string {
  return document.querySelector<HTMLBaseElement>("head > base")?.href ?? `${location.origin}/`;
}

const client = createClient<paths>({
  baseUrl: `${airflowUrl()}smsflow`,
  headers: { Accept: "application/json" },
  // One name for each: two parameters of one name are written twice, as the API wants them.
  querySerializer: { array: { style: "form", explode: true } },
});

type Answer<T> = { data?: T; error?: unknown; response: Response };

/**
 * Wait for an answer of the API; throws a `Problem` when it is no success.
 *
 * @example const me = await answerOf(api.GET("/api/v1/me"));
 */
export async function answerOf<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch {
    throw asProblem(undefined);
  }
  if (!answer.response.ok) {
    throw asProblem(answer.error, answer.response.status);
  }
  return answer.data as T;
}

/** A name for one press of a button: the same press sent twice does one thing. */
export function newKey(): string {
  return crypto.randomUUID?.() ?? `${Date.now()}-${Math.random().toString(36).slice(2)}`;
}

export const api = client;
