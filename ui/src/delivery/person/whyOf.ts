import { answerOf, api } from "~/api/client";
import type { components } from "~/api/schema";

export type Why = components["schemas"]["WhyAnswer"];

/**
 * Ask a delivery why *person* gets a text, or not: a number, which begins with a plus, or an id.
 *
 * It travels in a body only: addresses are logged.
 */
export function whyOf(delivery: string, person: string): Promise<Why> {
  const params = { path: { delivery_id: delivery } };
  const body = person.startsWith("+") ? { number: person } : { recipient_id: person };
  return answerOf(api.POST("/api/v1/deliveries/{delivery_id}/why", { params, body }));
}
