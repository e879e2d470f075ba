/** An answer that is no success: problem+json (RFC 9457) as our API writes it. */
export type Problem = {
  title: string;
  /** HTTP status; 0: no answer came, so nobody knows whether a write was done. */
  status: number;
  /** What is wrong with which field of the request. */
  problems?: { field: string; text: string }[];
  [fact: string]: unknown;
};

export function isProblem(error: unknown): error is Problem {
  return typeof error === "object" && error !== null && "title" in error && "status" in error;
}

/** Read whatever a call threw, or answered, as a problem. */
export function asProblem(error: unknown, status = 0): Problem {
  if (isProblem(error)) {
    return error;
  }
  return { title: "", status };
}
